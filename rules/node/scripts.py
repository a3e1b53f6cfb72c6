"""Scripts of nodes that are known by their text. There is no script engine yet: the scripts that every new node has are built
in, any other one is refused when the node is made.
"""

import re
from typing import Final

JS: Final = "JS"
TBEL: Final = "TBEL"

LOG: Final = (
    "return '\\nIncoming message:\\n' + JSON.stringify(msg) + '\\nIncoming metadata:\\n' + JSON.stringify(metadata);"
)

ALARM_DETAILS_JS: Final = """var details = {};
if (metadata.prevAlarmDetails) {
    details = JSON.parse(metadata.prevAlarmDetails);
    delete metadata.prevAlarmDetails;
}

return details;"""

ALARM_DETAILS_TBEL: Final = """var details = {};
if (metadata.prevAlarmDetails != null) {
    details = JSON.parse(metadata.prevAlarmDetails);
    metadata.remove('prevAlarmDetails');
}

return details;"""

# As nodes had it before ThingsBoard removed the previous details from the metadata: the same meaning.
OLD_ALARM_DETAILS_JS: Final = """var details = {};
if (metadata.prevAlarmDetails) {
    details = JSON.parse(metadata.prevAlarmDetails);
}
return details;"""

_NOISE = re.compile(r"//[^\n]*|\s+")


def require_known(lang: str, js: str, tbel: str, *known: str) -> None:
    """Raise ValueError unless the script that counts, `js` or `tbel` by `lang`, says the same as one of `known`. White space
    and line comments do not matter.
    """
    if lang not in (JS, TBEL):
        raise ValueError(f"Unknown script language {lang[:40]!r}; expected JS or TBEL.")
    script = _NOISE.sub("", tbel if lang == TBEL else js)
    if script not in {_NOISE.sub("", each) for each in known}:
        raise ValueError(
            "Scripts cannot be run yet, they come with a later release; only the default script works here."
        )
