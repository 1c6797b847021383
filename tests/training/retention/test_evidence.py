"""Take the evidence of a reason away, and the reason goes or the score falls; on a small synthetic company."""

from datetime import timedelta

import pandas as pd
import pyarrow.parquet as pq
import pytest

from recommender.history import History
from recommender.models import create
from recommender.parquet_files import to_frame
from recommender.retention.causes import CAUSES
from recommender.retention.definitions import NO_ORDER, ChurnDefinition
from recommender.retention.panel import gather_panel
from recommender.retention.risk_scoring import Asked, risks_of
from recommender.touchpoints import FEATURES, TABLES
from training.examples import churn_examples, known_before
from training.progress import silent
from training.synthetic import DEFAULT_UNTIL, Plan, synthesize

DEFINITION = ChurnDefinition(NO_ORDER, 28, 56)
NOW = DEFAULT_UNTIL
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """Tables as of now, and a model of three past cutoffs."""
    folder = tmp_path_factory.mktemp("company")
    synthesize(Plan(2000, seed=5, items=300), folder / "tables")
    history = History.create(folder / "history", buckets=1)
    for name, table in TABLES.items():
        history.add(name, to_frame(table, pq.read_table(folder / "tables" / name)))
    cutoffs = [NOW - timedelta(days=28 * place) for place in (1, 2, 3)]
    past = {
        one.cutoff: (one.features, one.churned)
        for one in churn_examples(history, cutoffs, DEFINITION, before=NOW, steps=silent)
    }
    panel = gather_panel(sorted(past), past.__getitem__)
    # Hardly drawn to 0, so that in so small a company every cause is told of somebody.
    model = create("churn", boosting_share=0.0, logistic_l2=1.0)
    names = list(panel.features.columns)
    return known_before(history, 0, NOW), model.fit(panel.features, panel.churned, cutoffs=panel.cutoffs), names


def risks(company, tables):
    known, model, names = company
    customer_ids = pd.Index(known["order_lines"]["customer_id"].unique(), dtype="string", name="customer_id")
    return risks_of(tables, FEATURES.compute(tables, customer_ids, NOW), Asked(DEFINITION, model, names), NOW)


@pytest.fixture(scope="module")
def before(company):
    """What is told with all the evidence there."""
    return risks(company, company[0])


def raised(found, code):
    """The customers told that the cause raises their risk."""
    return {
        key
        for key, one in found.reasons.items()
        for reason in one.told
        if reason.code == code and reason.direction == "up"
    }


def empty(name):
    return lambda tables: {name: TABLES[name].empty()}


def punctual(tables):
    lines = tables["order_lines"]
    return {"order_lines": lines.assign(delivered_at=lines["promised_at"])}


def nothing_said(tables):
    events = tables["interactions"]
    return {**empty("survey_responses")(tables), "interactions": events[events["kind"] != "rating"]}


def steady_prices(tables):
    lines = tables["order_lines"]
    return {"order_lines": lines.assign(amount=lines["quantity"], discount=0.0)}


def ever_without_discounts(tables):
    lines = tables["order_lines"]
    return {"order_lines": lines.assign(amount=lines["amount"] + lines["discount"], discount=0.0)}


def equal_baskets(tables):
    lines = tables["order_lines"]
    size = lines.groupby("order_id")["item_id"].transform("size")
    return {"order_lines": lines.assign(amount=30.0 / size)}


def ordered(tables, days):
    """Each customer's last line once more, so many days ago each."""
    lines = tables["order_lines"].sort_values("ordered_at").drop_duplicates("customer_id", keep="last")
    again = [
        lines.assign(order_id=lines["order_id"] + f"-{day}", ordered_at=pd.Timestamp(NOW - timedelta(days=day)))
        for day in days
    ]
    return {"order_lines": pd.concat([tables["order_lines"], *again], ignore_index=True)}


def ordered_lately(tables):
    return ordered(tables, range(1, 56, 4))


def ordered_every_week(tables):
    return ordered(tables, range(1, 200, 7))


def visited_yesterday(tables):
    events = tables["interactions"].dropna(subset="customer_id").drop_duplicates("customer_id", keep="last")
    visits = events.assign(event_id=events["event_id"] + "-again", occurred_at=pd.Timestamp(YESTERDAY))
    return {"interactions": pd.concat([tables["interactions"], visits], ignore_index=True)}


def opened_all(tables):
    """Every message, and one to everybody yesterday."""
    sent = tables["contacts"].assign(opened_at=tables["contacts"]["sent_at"])
    who = tables["order_lines"]["customer_id"].drop_duplicates()
    new = pd.DataFrame({"customer_id": who, "contact_id": "new-" + who, "channel": "email"})
    new = new.assign(sent_at=pd.Timestamp(YESTERDAY), opened_at=pd.Timestamp(YESTERDAY))
    return {"contacts": pd.concat([sent, new], ignore_index=True).astype(dict(sent.dtypes))}


def used_an_offer(tables):
    made = tables["assignments"].drop_duplicates("customer_id").assign(arm="treatment")
    used = made[["customer_id", "offer_id"]].assign(
        redemption_id="x-" + made["customer_id"], redeemed_at=pd.Timestamp(YESTERDAY), order_id=pd.NA, cost=1.0
    )
    return {
        "assignments": pd.concat([tables["assignments"], made.assign(assignment_id="a-" + made["customer_id"])]),
        "redemptions": pd.concat([tables["redemptions"], used.astype(dict(TABLES["redemptions"].empty().dtypes))]),
    }


def signed_up_long_ago(tables):
    return {"customers": tables["customers"].assign(signed_up_at=pd.Timestamp(NOW - timedelta(days=3650)))}


def bought_everything(tables):
    lines = tables["order_lines"].drop_duplicates("customer_id")
    items = [lines.assign(item_id=f"new {number}", line_number=number) for number in range(50)]
    return {"order_lines": pd.concat([tables["order_lines"], *items], ignore_index=True)}


WITHOUT = {
    "late_deliveries": punctual,
    "unresolved_tickets": empty("tickets"),
    "low_satisfaction": nothing_said,
    "price_increases": steady_prices,
    "lost_discounts": ever_without_discounts,
    "defective_items": empty("returns"),
    "no_order": ordered_lately,
    "weak_habit": ordered_every_week,
    "basket": equal_baskets,
    "choice": bought_everything,
    "no_visit": visited_yesterday,
    "contract": empty("subscriptions"),
    "messages": opened_all,
    "offers": used_an_offer,
    "tenure": signed_up_long_ago,
}
# It only ever speaks for a customer.
NEVER_RAISES = {"referrals"}


def test_every_cause_is_tested():
    assert set(WITHOUT) | NEVER_RAISES == {cause.code for cause in CAUSES}


@pytest.mark.parametrize("code", WITHOUT)
def test_without_its_evidence_the_reason_goes_or_the_score_falls(company, before, code):
    tables = company[0]
    told = raised(before, code)
    after = risks(company, {**tables, **WITHOUT[code](tables)})
    still = {key for key in told & raised(after, code) if after.probabilities[key] >= before.probabilities[key]}
    assert told
    assert still == set()
