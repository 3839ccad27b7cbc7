"""Tables of programs and of what each purchase was awarded."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub


class Program(BrandOwned, Base):
    """A way of earning under one name, such as a coffee card."""

    __tablename__ = "program"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "slug"),
        CheckConstraint(
            "kind IN ('stamp_card', 'bonus', 'points', 'visits', 'cash_back', 'serial_card', 'standing')", name="kind"
        ),
        points_to("cost_centre_id", "cost_centre"),
    )

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    public_id: Mapped[str] = pub()
    kind: Mapped[str] = mapped_column(String(20), default="stamp_card", info={"personal": "none"})
    name: Mapped[dict[str, str]] = mapped_column(JSON, info={"personal": "none"})  # language → text
    unit: Mapped[dict[str, list[str]]] = mapped_column(JSON, info={"personal": "none"})  # language → [singular, plural]
    position: Mapped[int] = mapped_column(default=0)  # order on the phone
    cost_centre_id: Mapped[int | None]  # bears what members spend of it; frozen in each settlement fact
    campaign: Mapped[str | None] = mapped_column(String(40), info={"personal": "none"})


class ProgramVersion(BrandOwned, Base):
    """The rules of a program from a moment on. Immutable once it has earned: a change is a new version."""

    __tablename__ = "program_version"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "program_id", "number"),
        points_to("program_id", "program"),
        points_to("reward_id", "reward"),
        CheckConstraint("size BETWEEN 1 AND 10000000", name="size"),
        CheckConstraint("(size IS NULL) = (reward_id IS NULL)", name="fills_with_reward"),
    )

    program_id: Mapped[int]
    number: Mapped[int]
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    size: Mapped[int | None]  # units that fill the card; null where nothing is filled, as with bonus
    reward_id: Mapped[int | None]  # issued by a full card
    rule: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "none"})  # see app.cards.rules.Plan
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # null where it is older than this column
    created_by: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff


class ProgramDraft(BrandOwned, Base):
    """What the next version of a program is to say: one for each program, changed until it is published."""

    __tablename__ = "program_draft"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "program_id"),
        points_to("program_id", "program"),
        points_to("reward_id", "reward"),
        CheckConstraint("(size IS NULL) = (reward_id IS NULL)", name="fills_with_reward"),
    )

    program_id: Mapped[int]
    size: Mapped[int | None]
    reward_id: Mapped[int | None]
    rule: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "none"})
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[str] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff


class VersionGone(BrandOwned, Base):
    """A planned version that was withdrawn, or a draft that was thrown away: who did it, and what it said."""

    __tablename__ = "version_gone"
    __table_args__ = brand_table(
        points_to("program_id", "program"),
        points_to("reward_id", "reward"),
        CheckConstraint("(number IS NULL) = (valid_from IS NULL)", name="draft"),
        append_only=True,
    )

    program_id: Mapped[int]
    number: Mapped[int | None]  # null for a draft; the next version may have it again
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it was to begin
    size: Mapped[int | None]
    reward_id: Mapped[int | None]
    rule: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "none"})
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_by: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff


class Award(BrandOwned, Base):
    """What one purchase was awarded in one program, and why; also when it was nothing."""

    __tablename__ = "award"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "purchase_id", "program_id"),
        points_to("purchase_id", "purchase"),
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        Index("ix_award_program", "brand_id", "program_id"),
        append_only=True,
    )

    purchase_id: Mapped[int]
    program_id: Mapped[int]
    version_id: Mapped[int]
    amount: Mapped[int]
    rule: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # the one that counted most
    reason: Mapped[str] = mapped_column(
        String(40), default="", info={"personal": "none"}
    )  # code, when less than expected
    parts: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON, default=list, server_default="[]", info={"personal": "none"}
    )  # how the amount came about, rule by rule
    details: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, server_default="{}", info={"personal": "none"}
    )  # what the sentence of the reason names
    facts: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, server_default="{}", info={"personal": "none"}
    )  # what the rules saw beside the basket: a refund evaluates them again


class RewardIssue(BrandOwned, Base):
    """A reward that a rule or a threshold gave, beside those of full cards: the source of its coupon."""

    __tablename__ = "reward_issue"
    __table_args__ = brand_table(
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        points_to("member_id", "member"),
        points_to("purchase_id", "purchase"),
        points_to("trigger_run_id", "trigger_run"),
        points_to("reward_id", "reward"),
        Index("ix_reward_issue_member", "member_id", "brand_id", "program_id"),
        Index("ix_reward_issue_purchase", "purchase_id", "brand_id"),
        Index("ix_reward_issue_trigger_run", "trigger_run_id", "brand_id"),
    )

    program_id: Mapped[int]
    version_id: Mapped[int]
    member_id: Mapped[int]
    purchase_id: Mapped[int | None]
    trigger_run_id: Mapped[int | None]
    reward_id: Mapped[int]
    threshold: Mapped[int | None]  # the balance that was reached; null where a rule gave it
    round: Mapped[int] = mapped_column(default=0)  # how often the count had begun anew by then
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class TriggerRun(BrandOwned, Base):
    """What happened beside a purchase and what a program gave for it: once for each source, also when it was nothing.

    The source is what the kind of trigger counts by: a year, a day, the id of an answer. It holds no personal data.
    """

    __tablename__ = "trigger_run"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "program_id", "member_id", "kind", "source"),
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        points_to("member_id", "member"),
        Index("ix_trigger_run_member", "member_id", "brand_id"),
        Index("ix_trigger_run_source", "brand_id", "program_id", "kind", "source", "member_id"),
    )

    program_id: Mapped[int]
    version_id: Mapped[int]
    member_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20), info={"personal": "none"})  # a trigger of app.cards.rules
    source: Mapped[str] = mapped_column(String(80), info={"personal": "none"})
    amount: Mapped[int]
    rule: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # the one that counted most
    reason: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # code, when less than expected
    details: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "none"})  # what its sentence names
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    taken_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RuleUse(BrandOwned, Base):
    """A rule with a limit that counted for a member; limits look at these rows. A refund does not take them back."""

    __tablename__ = "rule_use"
    __table_args__ = brand_table(
        points_to("program_id", "program"),
        points_to("member_id", "member"),
        points_to("purchase_id", "purchase"),
        Index("ix_rule_use_member", "member_id", "brand_id", "program_id"),
    )

    program_id: Mapped[int]
    rule: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    member_id: Mapped[int]
    purchase_id: Mapped[int | None]
    awarded: Mapped[int]
    local_date: Mapped[date]  # of the event, in the brand's zone
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class RuleTotal(BrandOwned, Base):
    """How often a rule counted for anybody and what it gave: the lock of "the first N" and of budgets."""

    __tablename__ = "rule_total"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "program_id", "rule"), points_to("program_id", "program"))

    program_id: Mapped[int]
    rule: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    times: Mapped[int] = mapped_column(default=0)
    awarded: Mapped[int] = mapped_column(default=0)


class TierHold(BrandOwned, Base):
    """A tier that a member holds until a moment, or held: one row for what spend reached and one for what a rule gave.

    The highest that is held is the member's tier. `settled` says that its end has been looked at.
    """

    __tablename__ = "tier_hold"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "member_id", "program_id", "tier", "source"),
        points_to("member_id", "member"),
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        points_to("purchase_id", "purchase"),
        points_to("trigger_run_id", "trigger_run"),
        Index("ix_tier_hold_member", "member_id", "brand_id", "program_id"),
        Index("ix_tier_hold_due", "until", sqlite_where=text("NOT settled"), postgresql_where=text("NOT settled")),
        CheckConstraint("source IN ('spend', 'rule')", name="source"),
        CheckConstraint("(source = 'rule') = (purchase_id IS NOT NULL OR trigger_run_id IS NOT NULL)", name="sale"),
    )

    member_id: Mapped[int]
    program_id: Mapped[int]
    version_id: Mapped[int]  # under which it was reached: a refund asks that version
    tier: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # slug within the plan
    source: Mapped[str] = mapped_column(String(5), info={"personal": "none"})
    reached_on: Mapped[date]  # in the brand's zone
    until: Mapped[datetime] = mapped_column(UtcDateTime)  # the first moment at which it is held no more
    purchase_id: Mapped[int | None]  # whose rule gave it; a refund ends it
    trigger_run_id: Mapped[int | None]  # or what else gave it; taking that back ends it
    settled: Mapped[bool] = mapped_column(default=False)


class TierChange(BrandOwned, Base):
    """A member's tier became another one, and why: the newest row says which it is."""

    __tablename__ = "tier_change"
    __table_args__ = brand_table(
        points_to("member_id", "member"),
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        points_to("purchase_id", "purchase"),
        points_to("refund_id", "refund"),
        Index("ix_tier_change_member", "member_id", "brand_id", "program_id"),
        CheckConstraint("reason IN ('reached', 'rule', 'ended', 'refund', 'merged')", name="reason"),
        CheckConstraint("was <> tier", name="differs"),
        append_only=True,
    )

    member_id: Mapped[int]
    program_id: Mapped[int]
    version_id: Mapped[int]
    was: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # empty is no tier
    tier: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    reason: Mapped[str] = mapped_column(String(10), info={"personal": "none"})
    purchase_id: Mapped[int | None]
    refund_id: Mapped[int | None]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
