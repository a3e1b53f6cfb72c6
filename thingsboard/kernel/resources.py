"""What the views of our own API family (/api/v1/...) share."""

from rest_framework.pagination import LimitOffsetPagination

LARGEST_PAGE = 1000


class ResourcePagination(LimitOffsetPagination):
    """`limit` (100, at most 1,000) and `offset` (0); the answer is {count, next, previous, results}."""

    default_limit = 100
    max_limit = LARGEST_PAGE
