"""Bugs of the service kit: who comes in, what may be brought, and what a refusal tells."""

from mutants.planting import Bug, Edit

_TOKENS = "verbund/service/tokens.py"
_PERMISSIONS = "verbund/service/permissions.py"
_DOOR = "verbund/service/door.py"
_LIMITS = "verbund/service/limits.py"

BUGS = (
    Bug(
        "token without audience check",
        "a token for another office opens this one",
        "verbund/test_tokens.py::test_a_bad_token_stands_for_nobody[another audience]",
        (Edit(_TOKENS, "            or self._audience not in audience\n", ""),),
    ),
    Bug(
        "token without municipality check",
        "a clerk of one city reads the register of another one",
        "verbund/test_tokens.py::test_a_bad_token_stands_for_nobody[another municipality]",
        (Edit(_TOKENS, "            or claims.municipality != self._municipality\n", ""),),
    ),
    Bug(
        "token without type check",
        "an ID token, which says who somebody is, passes for the right to come in",
        "verbund/test_tokens.py::test_a_bad_token_stands_for_nobody[an ID token]",
        (Edit(_TOKENS, """ or str(header.get("typ", "")).lower() not in _TYPES:""", ":"),),
    ),
    Bug(
        "route without permission",
        "a route that somebody forgot to protect starts, open to everybody",
        "verbund/test_service_permissions.py::test_a_route_without_a_permission_does_not_start",
        (
            Edit(
                _PERMISSIONS,
                "    if len(found) != 1:\n",
                "    if not found:\n        return PUBLIC\n    if len(found) != 1:\n",
            ),
        ),
    ),
    Bug(
        "door that asks for no permission",
        "whoever is signed in may do everything",
        "verbund/test_service_permissions.py::test_who_may_not_come_in_is_refused_before_the_body_is_read",
        (Edit(_DOOR, "            self._permission.check(principal, kit.office.name)\n", ""),),
    ),
    Bug(
        "role that holds in every office",
        "a clerk of the order office looks up residents",
        "verbund/test_service_permissions.py::test_an_offices_role_holds_in_its_own_office_only[clerk]",
        (Edit(_PERMISSIONS, "            granted -= OFFICE_ROLES\n", "            granted = granted | frozenset()\n"),),
    ),
    Bug(
        "form of a foreign page taken",
        "a page that a clerk visits books in the clerk's name",
        "verbund/test_service_sessions.py::test_foreign_pages_may_not_post_with_the_session",
        (Edit(_DOOR, """        return site == "same-origin"\n""", """        return site != "none-of-these"\n"""),),
    ),
    Bug(
        "one-time link that works twice",
        "a link found in a history signs its finder in",
        "verbund/test_service_sessions.py::test_the_link_works_once",
        (
            Edit(
                "verbund/service/tickets.py",
                "        _file(folder, code).rename(taken)\n",
                "        taken.write_bytes(_file(folder, code).read_bytes())\n",
            ),
        ),
    ),
    Bug(
        "body limit off",
        "one request of a gigabyte ends a service",
        "verbund/test_service_limits.py::test_a_body_that_does_not_announce_its_length_is_counted",
        (Edit(_LIMITS, "            if taken > most:\n", "            if taken < 0:\n"),),
    ),
    Bug(
        "problem body that leaks input",
        "a name that was typed stands in an error, and from there in logs and reports",
        "verbund/test_service_problems.py::test_values_stand_in_the_sentence_and_nothing_that_was_typed",
        (
            Edit(
                "verbund/service/validation.py",
                "        code, message = _KNOWN.get(kind, _UNKNOWN)\n",
                "        code, message = _KNOWN.get(kind, _UNKNOWN)\n        message += f' ({item.get(\"input\")})'\n",
            ),
        ),
    ),
    Bug(
        "error of ours that tells its details",
        "a stack's words, with what they were about, are shown to whoever asked",
        "verbund/test_service_problems.py::test_an_error_of_ours_tells_its_trace_and_nothing_else",
        (
            Edit(
                "verbund/service/problems.py",
                "    return unavailable(error) if is_passing(error) else internal_error()\n",
                "    return unavailable(error) if is_passing(error) else Internal('internal', str(error))\n",
            ),
        ),
    ),
)
