"""Who may do what: role x action. Everything not listed is refused. A test walks this table (design 1).

Actions on one's own things (own visits, own household) need no role here: they are checked by owner.
"""

from hub.spaces.access import Action
from hub.spaces.enums import Role

TABLE: dict[Action, frozenset[Role]] = {
    Action.BOOK: frozenset({Role.WORKER}),
    Action.BOOK_FOR_OTHERS: frozenset({Role.DOOR, Role.COMMUNITY, Role.MANAGER}),
    Action.SEE_DAY: frozenset({Role.DOOR, Role.CARER, Role.COMMUNITY, Role.MANAGER}),
    Action.MANAGE_PEOPLE: frozenset({Role.MANAGER}),
    Action.MANAGE_HOURS: frozenset({Role.MANAGER}),
    Action.MANAGE_SEATS: frozenset({Role.MANAGER}),
    Action.MANAGE_ROSTER: frozenset({Role.MANAGER}),
    Action.EXPLAIN_QUARTER: frozenset({Role.CARER, Role.MANAGER, Role.OFFICER}),
    Action.DECIDE_CHILD: frozenset({Role.MANAGER}),
    Action.READ_HEALTH: frozenset({Role.CARER}),
    Action.SCAN: frozenset({Role.DOOR, Role.COMMUNITY, Role.MANAGER}),
    Action.SEE_INSIDE: frozenset({Role.DOOR, Role.CARER, Role.COMMUNITY, Role.MANAGER}),
    Action.CARE_FOR_CHILDREN: frozenset({Role.CARER}),
    Action.READ_NOTICE_WORDS: frozenset({Role.MANAGER}),
    Action.SEE_WAITING: frozenset({Role.COMMUNITY, Role.MANAGER}),
    Action.DIRECT_WORK: frozenset({Role.DIRECTOR}),
    Action.PAY_WORK: frozenset({Role.DIRECTOR, Role.MANAGER}),
    Action.SEE_LEDGER: frozenset({Role.MANAGER}),
    Action.ANSWER_APPEAL: frozenset({Role.MANAGER}),
}
