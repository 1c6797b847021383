from recommender.touchpoints.orders import ORDER_LINES, RETURNS
from recommender.touchpoints.return_features import RETURN_BLOCK
from tests.recommender.rows import features_of, rows_of


def bought(order_id, amount):
    return {"order_id": order_id, "item_id": "tea", "customer_id": "ann", "ordered_at": 300.0, "amount": amount}


def returned(return_id, days, amount=5.0, customer_id="ann"):
    return {
        "return_id": return_id,
        "item_id": "tea",
        "customer_id": customer_id,
        "returned_at": days,
        "amount": amount,
    }


def test_returns_are_shares_of_what_was_bought():
    lines = rows_of(ORDER_LINES, bought("a1", 30.0), bought("a2", 10.0), bought("a3", 5.0), bought("a4", 5.0))
    returns = rows_of(RETURNS, returned("r1", 200.0), returned("r2", 10.5), returned("r3", 100.0, 2.5))
    ann = features_of(RETURN_BLOCK, returns, lines).loc["ann"]
    assert ann["return_count"] == 3
    assert ann["return_56d_count"] == 1
    assert ann["return_182d_count"] == 2
    assert ann["return_amount"] == 12.5
    assert ann["return_line_share"] == 3 / 4
    assert ann["return_amount_share"] == 12.5 / 50
    assert ann["days_since_last_return"] == 10.5


def test_more_returns_than_lines_known_are_a_share_of_one():
    returns = rows_of(RETURNS, returned("r1", 20.0, 90.0), returned("r2", 20.0, 90.0))
    ann = features_of(RETURN_BLOCK, returns, rows_of(ORDER_LINES, bought("a1", 30.0))).loc["ann"]
    assert ann["return_line_share"] == 1
    assert ann["return_amount_share"] == 1


def test_a_return_without_a_known_order_leaves_the_share_unknown():
    returns = rows_of(RETURNS, returned("r1", 20.0, customer_id="bob"))
    features = features_of(RETURN_BLOCK, returns, rows_of(ORDER_LINES, bought("a1", 30.0)))
    assert features["return_line_share"].isna().to_dict() == {"ann": False, "bob": True}
    assert features.loc["ann", "return_line_share"] == 0


def test_returns_of_what_was_not_as_it_should_be_are_counted_apart():
    reasons = {"r1": "Defective", "r2": "arrived broken", "r3": "changed my mind", "r4": None}
    rows = [returned(name, 70.0) | {"reason": reason} for name, reason in reasons.items()]
    ann = features_of(RETURN_BLOCK, rows_of(RETURNS, *rows), rows_of(ORDER_LINES, bought("a1", 30.0))).loc["ann"]
    assert ann["return_count"] == 4
    assert ann["return_defect_count"] == 2
    assert ann["return_defect_56d_count"] == 0
    assert ann["return_defect_182d_count"] == 2
