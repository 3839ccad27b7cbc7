"""A simulation's question and answer as JSON: rules, sums and ids. Names are read anew when the answer is shown."""

import hashlib
import json
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import rules
from app.cards.replay import Draft
from app.cards.simulate import Question
from app.cards.simulated import Changes, MemberChange, RewardSum, RuleSum, Simulation, Sums
from app.members.models import Member
from app.rewards.models import Reward

_SUMS = ("awards", "units", "expired", "bonus_cents")
_REWARD = ("count", "face_cents", "settlement_cents", "fee_cents", "estimated")
_MEMBER = ("units", "units_before", "face_cents", "face_before_cents")
_VALUES = ("slug", "kind", "face_cents", "settlement_cents", "fee_cents", "percent_bp", "cap_cents")


def question_to_json(asked: Question) -> dict[str, Any]:
    """Return what a run is to do."""
    return {
        "draft": _draft_to_json(asked.draft),
        "current": _draft_to_json(asked.current) if asked.current else None,
        "first": asked.first.isoformat(), "last": asked.last.isoformat(), "margin_bp": asked.margin_bp,
    }  # fmt: skip


def question_from_json(value: dict[str, Any]) -> Question:
    """Return what a run is to do, as `question_to_json` wrote it."""
    return Question(
        _draft_from_json(value["draft"]), _draft_from_json(value["current"]) if value["current"] else None,
        date.fromisoformat(value["first"]), date.fromisoformat(value["last"]), value["margin_bp"],
    )  # fmt: skip


def fingerprint(session: Session, asked: Question) -> str:
    """Return the same text for the same question: what the two versions say, the days, and what their rewards cost."""
    slugs = asked.draft.rewards | (asked.current.rewards if asked.current else set())
    rows = session.scalars(select(Reward).where(Reward.slug.in_(slugs)).order_by(Reward.slug))
    costs = [[getattr(row, name) for name in _VALUES] for row in rows]
    said = json.dumps([question_to_json(asked), costs], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _draft_to_json(draft: Draft) -> dict[str, Any]:
    return {"kind": draft.kind, "rule": draft.plan.to_json(), "size": draft.size, "reward": draft.reward}


def _draft_from_json(value: dict[str, Any]) -> Draft:
    return Draft(value["kind"], rules.parse(value["kind"], value["rule"]), value["size"], value["reward"])


def to_json(found: Simulation) -> dict[str, Any]:
    """Return an answer."""
    changes = found.changes
    return {
        "first": found.first.isoformat(), "last": found.last.isoformat(), "purchases": found.purchases,
        "members": found.members, "sales_cents": found.sales_cents, "margin_bp": found.margin_bp,
        "draft": _sums_to_json(found.draft), "current": _sums_to_json(found.current) if found.current else None,
        "changes": {
            "more": changes.more, "same": changes.same, "less": changes.less,
            "largest": [[one.member.id, *(getattr(one, name) for name in _MEMBER)] for one in changes.largest],
        } if changes else None,
    }  # fmt: skip


def _sums_to_json(sums: Sums) -> dict[str, Any]:
    return {
        **{name: getattr(sums, name) for name in _SUMS},
        "rules": [asdict(line) for line in sums.rules],
        "zeros": sums.zeros,
        "rewards": [[line.reward.slug, *(getattr(line, name) for name in _REWARD)] for line in sums.rewards],
        "not_replayed": sums.not_replayed,
    }


def from_json(session: Session, value: dict[str, Any]) -> Simulation:
    """Return an answer as `to_json` wrote it, with the rewards and members of today."""
    rewards = {reward.slug: reward for reward in session.scalars(select(Reward))}
    current = value["current"]
    return Simulation(
        date.fromisoformat(value["first"]), date.fromisoformat(value["last"]), value["purchases"], value["members"],
        value["sales_cents"], value["margin_bp"], _sums_from_json(value["draft"], rewards),
        _sums_from_json(current, rewards) if current else None,
        _changes_from_json(session, value["changes"]) if value["changes"] else None,
    )  # fmt: skip


def _sums_from_json(value: dict[str, Any], rewards: dict[str, Reward]) -> Sums:
    return Sums(
        **{name: value[name] for name in _SUMS},
        rules=tuple(RuleSum(**line) for line in value["rules"]),
        zeros=tuple((reason, n) for reason, n in value["zeros"]),
        rewards=tuple(RewardSum(rewards[slug], *figures) for slug, *figures in value["rewards"] if slug in rewards),
        not_replayed=tuple(value["not_replayed"]),
    )


def _changes_from_json(session: Session, value: dict[str, Any]) -> Changes:
    ids = [member_id for member_id, *_figures in value["largest"]]
    members = {member.id: member for member in session.scalars(select(Member).where(Member.id.in_(ids)))}
    largest = (MemberChange(members[one], *figures) for one, *figures in value["largest"] if one in members)
    return Changes(value["more"], value["same"], value["less"], tuple(largest))
