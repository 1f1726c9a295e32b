"""A filled-in modal: what the person typed and chose, as `view.state.values` carries it to the app."""

from collections.abc import Mapping, Sequence

from infra.local.slack_workspace import Json

REQUIRED = "Please complete this required field."

Filled = str | Sequence[str] | None


def filled_in(blocks: Sequence[Json], values: Mapping[str, Filled]) -> tuple[Json, dict[str, str]]:
    """Turn values by block id into Slack's state, and say what its client would not let the person submit."""
    state: Json = {}
    problems: dict[str, str] = {}
    for block in blocks:
        if block["type"] == "input":
            element, block_id = block["element"], block["block_id"]
            value = values.get(block_id) or _initial(element)
            state[block_id] = {element["action_id"]: {"type": element["type"], **_state(element, value)}}
            if problem := _problem(block, value):
                problems[block_id] = problem
    return state, problems


def _problem(block: Json, value: Filled) -> str:
    element = block["element"]
    if not value:
        return "" if block.get("optional") else REQUIRED
    if element["type"] != "plain_text_input":
        return ""
    least, most = element.get("min_length", 0), element.get("max_length", 3_000)
    if len(value) > most:
        return f"Must be at most {most} characters."
    return f"Must be at least {least} characters." if len(value) < least else ""


def _state(element: Json, value: Filled) -> Json:
    if element["type"] == "plain_text_input":
        return {"value": value}
    if element["type"] == "checkboxes":
        return {"selected_options": [each for each in element["options"] if each["value"] in (value or ())]}
    return {"selected_option": next((each for each in element["options"] if each["value"] == value), None)}


def _initial(element: Json) -> Filled:
    if element["type"] == "plain_text_input":
        text: str | None = element.get("initial_value")
        return text
    options = element.get("initial_options") or [element.get("initial_option") or {}]
    chosen = [option["value"] for option in options if option]
    return chosen if element["type"] == "checkboxes" else "".join(chosen)
