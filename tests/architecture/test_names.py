"""What nothing may be called, and whom no file may name."""

from tests.architecture.sources import PACKAGES, python_files, text_files
from thingsboard.settings.env import BASE_DIR

# In pieces, or this file would be the first to break its own rule.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pypi", "python", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"),
        ("yarnpkg", "com"), ("jfrog", "io"), ("deb", "debian", "org"),
    )
)  # fmt: skip


def test_nothing_is_called_utils() -> None:
    names = {"utils", "util", "helpers", "misc", "common"}
    found = [path for path in python_files(*PACKAGES) if {path.stem, path.parent.name} & names]
    assert [str(path.relative_to(BASE_DIR)) for path in found] == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    # Whose machine this runs on decides where packages come from.
    found = [
        (str(path.relative_to(BASE_DIR)), host) for path, text in text_files() for host in REGISTRIES if host in text
    ]
    assert found == []
