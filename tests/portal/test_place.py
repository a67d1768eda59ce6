"""Each fragment's place outlives the messages that Streamlit drops when a run of the fragment begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

if TYPE_CHECKING:
    from conftest import PortalDesk

pytestmark = pytest.mark.portal


def messages_of(desk: PortalDesk) -> list[Any]:
    """Return every message that the page puts into Streamlit's queue when it is opened."""
    messages: list[Any] = []
    with desk.monkeypatch.context() as patch:
        patch.setattr(ForwardMsgQueue, "_before_enqueue_msg", messages.append)
        assert not desk.page().exception
    return messages


def without_first_contents(messages: list[Any], *fragments: str) -> list[tuple[int, ...]]:
    """Return the paths that reach the browser if these fragments run before any message is sent."""
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=list(fragments))
    return [tuple(each.metadata.delta_path) for each in queue.flush() if each.HasField("delta")]


def find_lost(paths: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the paths that the browser refuses, because they do not follow one that it has."""
    children: dict[tuple[int, ...], int] = {(): 4}  # the page's four roots are always there
    lost = []
    for path in paths:
        parent, index = path[:-1], path[-1]
        is_there = len(parent) == 1 or parent in children
        if not is_there or index > children.setdefault(parent, 0):
            lost.append(path)
            continue
        children[parent] = max(children[parent], index + 1)
        children.setdefault(path, 0)
    return lost


def test_nothing_is_lost_if_a_fragments_first_messages_are_dropped(desk: PortalDesk) -> None:
    """The page works, whichever fragment runs again before the browser has the page."""
    desk.sign_in()
    desk.own(desk.CALL)
    sent = messages_of(desk)
    shell, *fragments = dict.fromkeys(each.delta.fragment_id for each in sent if each.delta.fragment_id)
    assert len(fragments) > 10
    lost = {each: find_lost(without_first_contents(sent, each)) for each in fragments}
    assert not {each: paths for each, paths in lost.items() if paths}
    assert not find_lost(without_first_contents(sent, *fragments))
    assert find_lost(without_first_contents(sent, shell))  # with all others in it; it never runs alone


def test_a_place_is_filled_twice_but_never_emptied(desk: PortalDesk) -> None:
    """Each place gets two containers and no other element, so a later run keeps what is in it."""
    desk.sign_in()
    desk.own(desk.CALL)
    kinds: dict[tuple[int, ...], list[str]] = {}
    for each in messages_of(desk):
        if each.HasField("delta") and each.delta.fragment_id:  # the home page, which comes first, has none
            kinds.setdefault(tuple(each.metadata.delta_path), []).append(each.delta.WhichOneof("type"))
    twice = [found for found in kinds.values() if found.count("add_block") == 2]
    assert len(twice) > 10
    assert [found for found in twice if found != ["add_block", "add_block"]] == []
