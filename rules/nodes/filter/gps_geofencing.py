"""GPS geofencing filter."""

from rules.node import FALSE, TRUE, Category, Context, EachNode, Emit, Msg, Outcome
from rules.node.geofencing import Geofence, GeofencingConfig


class GpsGeofencingFilter(EachNode):
    """Checks whether the coordinates of a message are inside a perimeter.

    The coordinates are those of the body, else those of the metadata. The perimeter is configured, or it comes with the
    metadata, where "originator attributes" put it: a polygon is `[[latitude, longitude], ...]`, or several of them, of which
    those inside others are holes; two corners are a rectangle. A circle is `{"latitude", "longitude", "radius",
    "radiusUnit"}`, with METER, KILOMETER, FOOT, MILE or NAUTICAL_MILE. Without a perimeter key the metadata may have
    `perimeter`, or `centerLatitude`, `centerLongitude`, `range` and `rangeUnit`.

    True: inside. False: outside, or on the border. What is missing or is no number leaves by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.geo.TbGpsGeofencingFilterNode"
    NAME = "gps geofencing filter"
    CATEGORY = Category.FILTER
    RELATIONS = (TRUE, FALSE)
    CONFIG = GeofencingConfig
    CONFIG_DIRECTIVE = "tbFilterNodeGpsGeofencingConfig"

    def __init__(self, config: GeofencingConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._geofence = Geofence(config)

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """One look at the perimeter."""
        try:
            return Emit(TRUE if self._geofence.inside(msg) else FALSE, msg)
        except ValueError as error:
            return Emit.failure(msg, str(error))
