"""What a cause says of one customer, from the customer's own figures.

One function per cause and direction. It gets the features of the customer, unknown ones as NaN, and returns a sentence
that reads in its direction, or nothing where no figure supports it: then the cause is no reason to tell.
"""

from __future__ import annotations

from math import isnan

from recommender.touchpoints.surveys import SURVEY_SCALES

_LOW_SATISFACTION = 0.6
# Less than this is no rise of prices and no loss of discounts that anybody would feel.
_FELT_SHARE = 0.01
_YEAR_DAYS = 365


class Figures(dict[str, float]):
    """The features of one customer by name; what is not there is unknown."""

    def __missing__(self, name: str) -> float:
        return float("nan")


def late_orders(f: Figures) -> str | None:
    """Orders late right now, else those that were late lately, else ever."""
    if f["late_open_order_count"] > 0:
        late = _counted(f["late_open_order_count"], "order is", "orders are")
        return f"{late} late right now, by up to {_days(f['late_longest_91d_days'])}"
    if f["late_order_91d_count"] > 0:
        late = _counted(f["late_order_91d_count"], "late order", "late orders")
        return f"{late} in the last 91 days, by up to {_days(f['late_longest_91d_days'])}"
    if f["late_order_count"] > 0:
        ago = _days(f["days_since_last_late_order"])
        return f"{_counted(f['late_order_count'], 'late order', 'late orders')} so far, the last {ago} ago"
    return None


def punctual_orders(f: Figures) -> str | None:
    """No late order lately though there was something to deliver."""
    judged = not isnan(f["late_order_share"])
    return "No late order in the last 91 days" if judged and f["late_order_91d_count"] == 0 else None


def open_tickets(f: Figures) -> str | None:
    """Tickets that are open, else those that came back, else those of the last quarter."""
    if f["ticket_open_count"] > 0:
        age = _days(f["ticket_open_oldest_days"])
        if f["ticket_open_count"] == 1:
            return f"1 open ticket for {age}"
        return f"{f['ticket_open_count']:.0f} open tickets, the oldest for {age}"
    if not f["ticket_90d_count"] > 0:
        return None
    said = f"{_counted(f['ticket_90d_count'], 'ticket', 'tickets')} in the last 90 days"
    came_back = f["ticket_repeat_count"] + f["ticket_reopened_count"]
    if came_back > 0:
        return f"{said}; {came_back:.0f} so far came back"
    solved = f["ticket_resolution_last_days"]
    return said if isnan(solved) else f"{said}, the last solved after {_days(solved)}"


def no_open_ticket(f: Figures) -> str | None:
    """Nothing is open."""
    return "No open ticket" if f["ticket_open_count"] == 0 else None


def low_answers(f: Figures) -> str | None:
    """The worst of the last answers, if it is low, and how it changed."""
    share, kind = min(_last_answers(f), default=(1.0, ""))
    return _answer(f, kind) if share <= _LOW_SATISFACTION else None


def high_answers(f: Figures) -> str | None:
    """The best of the last answers, if it is high."""
    share, kind = max(_last_answers(f), default=(0.0, ""))
    return _answer(f, kind) if share > _LOW_SATISFACTION else None


def risen_prices(f: Figures) -> str | None:
    """By how much the prices of what is bought again rose."""
    rise = f["price_rise_mean_ratio"] - 1.0
    return f"What is bought again costs {rise:.0%} more than half a year before" if rise >= _FELT_SHARE else None


def steady_prices(f: Figures) -> str | None:
    """Prices of what is bought again hardly rose."""
    is_steady = f["price_rise_mean_ratio"] - 1.0 < _FELT_SHARE
    return "What is bought again costs no more than half a year before" if is_steady else None


def lost_discounts(f: Figures) -> str | None:
    """Discounts that stayed away."""
    if not f["discount_lost_share"] >= _FELT_SHARE:
        return None
    return (
        f"Discounts took {f['discount_91d_share']:.0%} off in the last 91 days, {f['discount_before_share']:.0%} before"
    )


def kept_discounts(f: Figures) -> str | None:
    """Discounts that are there."""
    recent = f["discount_91d_share"]
    return f"Discounts took {recent:.0%} off in the last 91 days" if recent >= _FELT_SHARE else None


def returned_items(f: Figures) -> str | None:
    """What came back lately, what was defective first."""
    if f["return_defect_182d_count"] > 0:
        items = _counted(f["return_defect_182d_count"], "defective item", "defective items")
        return f"{items} returned in the last 182 days, the last return {_days(f['days_since_last_return'])} ago"
    if f["return_182d_count"] > 0:
        items = _counted(f["return_182d_count"], "item", "items")
        return f"{items} returned in the last 182 days, the last {_days(f['days_since_last_return'])} ago"
    return None


def nothing_returned(f: Figures) -> str | None:
    """Nothing came back lately."""
    return "No item returned in the last 182 days" if f["return_182d_count"] == 0 else None


def no_order(f: Figures) -> str | None:
    """The time since the last order beside the usual one, else fewer orders than before."""
    since, usual = f["days_since_last_order"], f["order_interval_mean_days"]
    if isnan(usual):
        return None if isnan(since) else f"No second order for {_days(since)}"
    if since > usual:
        return f"No order for {_days(since)}; usually every {usual:.0f}"
    if f["order_days_trend_share"] < 0.5:
        before = 2 * 56
        return f"Of the order days of the last {before} days, {f['order_days_trend_share']:.0%} fell into the last 56"
    return None


def recent_order(f: Figures) -> str | None:
    """An order within the usual time, else more orders than before."""
    since, usual = f["days_since_last_order"], f["order_interval_mean_days"]
    if since <= usual:
        return f"Last order {_days(since)} ago; usually every {usual:.0f}"
    count = f["order_days_56d_count"]
    return f"{_counted(count, 'day', 'days')} with an order in the last 56 days" if count > 0 else None


def rare_orders(f: Figures) -> str | None:
    """How seldom the customer orders."""
    usual = f["order_interval_mean_days"]
    if isnan(usual):
        return "Only 1 day with an order so far" if f["order_day_count"] == 1 else None
    return f"Only {f['order_day_count']:.0f} days with an order so far, about {_days(usual)} apart"


def regular_orders(f: Figures) -> str | None:
    """How often the customer orders."""
    usual = f["order_interval_mean_days"]
    return None if isnan(usual) else f"Orders every {_days(usual)}, {f['order_day_count']:.0f} times so far"


def smaller_baskets(f: Figures) -> str | None:
    """A last order below the usual amount."""
    last, usual = f["basket_last_amount"], f["basket_mean_amount"]
    return f"Last order of {last:,.2f}; usually {usual:,.2f}" if last < usual else None


def larger_baskets(f: Figures) -> str | None:
    """A last order of at least the usual amount."""
    last, usual = f["basket_last_amount"], f["basket_mean_amount"]
    return f"Last order of {last:,.2f}; usually {usual:,.2f}" if last >= usual else None


def narrow_choice(f: Figures) -> str | None:
    """Fewer different items than orders."""
    items, orders = f["item_distinct_count"], f["order_count"]
    return f"Only {_counted(items, 'item', 'different items')} in {orders:.0f} orders" if items < orders else None


def wide_choice(f: Figures) -> str | None:
    """How much of the catalogue the customer buys."""
    count = f["item_distinct_count"]
    return f"{_counted(count, 'item', 'different items')} bought so far" if count > 0 else None


def no_visit(f: Figures) -> str | None:
    """The time since the last visit beside the usual one, else no visit known."""
    since, usual = f["days_since_last_browsing"], f["browsing_interval_mean_days"]
    if isnan(usual):
        return "No visit known" if f["browsing_event_count"] == 0 else None
    return f"No visit for {_days(since)}; usually every {usual:.0f}" if since > usual else None


def recent_visit(f: Figures) -> str | None:
    """A visit within the last four weeks."""
    since = f["days_since_last_browsing"]
    return f"Last visit {_days(since)} ago" if since < 28 else None


def ended_contract(f: Figures) -> str | None:
    """A contract that ended, else one that is new or dear."""
    if f["subscription_ended_count"] > 0:
        return f"A contract ended {_days(f['days_since_last_subscription_end'])} ago"
    if f["subscription_running_count"] > 0:
        age, paid = _days(f["subscription_age_days"]), f["subscription_monthly_amount"]
        return f"The contract has run for only {age} and costs {paid:,.2f} a month"
    return "No contract" if f["subscription_count"] == 0 else None


def running_contract(f: Figures) -> str | None:
    """A contract that runs."""
    if f["subscription_running_count"] > 0:
        return f"A contract has run for {_days(f['subscription_age_days'])}"
    return None


def ignored_messages(f: Figures) -> str | None:
    """Messages that were not opened, else that there were none."""
    if f["contact_unopened_28d_count"] > 0:
        return f"{_counted(f['contact_unopened_28d_count'], 'message', 'messages')} of the last 28 days not opened"
    return "No message in the last 28 days" if f["contact_28d_count"] == 0 else None


def opened_messages(f: Figures) -> str | None:
    """Messages that are opened."""
    return f"{f['contact_open_share']:.0%} of the messages opened" if f["contact_open_share"] > 0 else None


def unused_offers(f: Figures) -> str | None:
    """Offers that were not used, else that there were none."""
    made, used = f["offer_treatment_count"], f["offer_redemption_count"]
    if made > 0 and used == 0:
        return f"{_counted(made, 'offer', 'offers')} made, none used"
    if used > 0 and f["offer_redemption_90d_count"] == 0:
        return f"No offer used for {_days(f['days_since_last_redemption'])}"
    return "No offer made so far" if made == 0 and used == 0 else None


def used_offers(f: Figures) -> str | None:
    """Offers that were used."""
    count = f["offer_redemption_count"]
    return f"{_counted(count, 'offer', 'offers')} used so far" if count > 0 else None


def new_customer(f: Figures) -> str | None:
    """How short the customer has been one, within the first year."""
    return f"A customer for only {_days(_tenure(f))}" if _tenure(f) < _YEAR_DAYS else None


def old_customer(f: Figures) -> str | None:
    """How long the customer has been one."""
    return None if isnan(_tenure(f)) else f"A customer for {_days(_tenure(f))}"


def referred(f: Figures) -> str | None:
    """Customers brought."""
    count = f["referral_count"]
    return f"{_counted(count, 'customer', 'customers')} referred so far" if count > 0 else None


def nothing(f: Figures) -> str | None:
    """Never a reason."""
    return None


def _counted(number: float, one: str, many: str) -> str:
    return f"{number:.0f} {one if round(number) == 1 else many}"


def _days(days: float) -> str:
    return _counted(days, "day", "days") if days >= 0.5 else "less than a day"


def _tenure(f: Figures) -> float:
    since = f["days_since_sign_up"]
    return f["days_since_first_order"] if isnan(since) else since


def _last_answers(f: Figures) -> list[tuple[float, str]]:
    """The last answer of each kind as a share of its scale."""
    found = ((f[f"{kind}_last_score"], kind, low, high) for kind, (low, high) in SURVEY_SCALES.items())
    return [((score - low) / (high - low), kind) for score, kind, low, high in found if not isnan(score)]


def _answer(f: Figures, kind: str) -> str:
    change, said = f[f"{kind}_change_score"], f"Last {kind.upper()} answer: {f[f'{kind}_last_score']:.0f}"
    said += f" of {SURVEY_SCALES[kind][1]}"
    if isnan(change) or abs(change) < 0.5:
        return said
    return f"{said}, {abs(change):.0f} {'lower' if change < 0 else 'higher'} than before"
