"""The causes of leaving: named groups of features that tell one story, each with what a company can do about it.

A feature belongs to one cause, so that one story is told once and the contributions of the causes sum to the score. A
cause marked as an experience is something that was done to the customer; the others are what customers do when
something is the matter, or who they are: symptoms and traits. A silent customer with a broken item has a reason and a
symptom of it, so experiences are told first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recommender.retention import reason_sentences as say
from recommender.retention.reason_sentences import Figures

LEVERS = ("offer", "service", "product", "none")
Sentence = Callable[[Figures], str | None]


@dataclass(frozen=True)
class Cause:
    """One cause: its code, its meaning, the lever that helps against it, its features, and what it says.

    ``raises`` and ``lowers`` give the sentence of a customer for whom the cause raises or lowers the risk, None where
    the customer's figures do not read that way.
    """

    code: str
    meaning: str
    lever: str
    features: tuple[str, ...]
    raises: Sentence
    lowers: Sentence
    is_experience: bool = False


def _experience(
    code: str, meaning: str, lever: str, features: tuple[str, ...], raises: Sentence, lowers: Sentence
) -> Cause:
    return Cause(code, meaning, lever, features, raises, lowers, is_experience=True)


CAUSES: tuple[Cause, ...] = (
    _experience(
        "late_deliveries",
        "orders that came late or have not come",
        "service",
        (
            "late_order_count",
            "late_order_share",
            "late_open_order_count",
            "late_order_91d_count",
            "late_total_91d_days",
            "late_longest_91d_days",
            "days_since_last_late_order",
        ),
        say.late_orders,
        say.punctual_orders,
    ),
    _experience(
        "unresolved_tickets",
        "problems that are open, came back or took long",
        "service",
        (
            "ticket_90d_count",
            "ticket_count",
            "ticket_open_count",
            "ticket_open_severe_count",
            "ticket_unanswered_count",
            "ticket_open_oldest_days",
            "ticket_repeat_count",
            "ticket_reopened_count",
            "ticket_first_contact_share",
            "ticket_resolution_mean_days",
            "ticket_resolution_last_days",
            "ticket_first_reply_mean_days",
            "ticket_handle_mean_seconds",
            "days_since_last_ticket",
        ),
        say.open_tickets,
        say.no_open_ticket,
    ),
    _experience(
        "low_satisfaction",
        "low or falling answers in surveys, low ratings",
        "service",
        (
            "survey_count",
            "days_since_last_survey",
            *(f"{kind}_{what}_score" for kind in ("nps", "csat", "ces") for what in ("last", "mean", "change")),
            "satisfaction_last_share",
            "satisfaction_182d_mean_share",
            "satisfaction_182d_lowest_share",
            "is_nps_detractor",
            "rating_mean_score",
            "rating_last_score",
        ),
        say.low_answers,
        say.high_answers,
    ),
    _experience(
        "price_increases",
        "what is bought again costs more than before",
        "offer",
        ("price_rise_mean_ratio", "price_rise_order_max_ratio"),
        say.risen_prices,
        say.steady_prices,
    ),
    _experience(
        "lost_discounts",
        "discounts became fewer",
        "offer",
        ("discount_share", "discount_91d_share", "discount_before_share", "discount_lost_share"),
        say.lost_discounts,
        say.kept_discounts,
    ),
    _experience(
        "defective_items",
        "items that came back, above all broken ones",
        "product",
        (
            "return_count",
            "return_56d_count",
            "return_182d_count",
            "return_defect_count",
            "return_defect_56d_count",
            "return_defect_182d_count",
            "return_amount",
            "return_line_share",
            "return_amount_share",
            "days_since_last_return",
        ),
        say.returned_items,
        say.nothing_returned,
    ),
    Cause(
        "no_order",
        "the time since the last order, and orders of late beside those before",
        "offer",
        (
            "days_since_last_order",
            "order_due_mean_ratio",
            "order_due_max_ratio",
            "order_interval_last_days",
            "order_days_28d_count",
            "order_days_56d_count",
            "spend_28d_amount",
            "spend_56d_amount",
            "order_days_trend_share",
            "spend_trend_share",
            "order_span_share",
        ),
        say.no_order,
        say.recent_order,
    ),
    Cause(
        "weak_habit",
        "how often the customer orders in the long run",
        "offer",
        (
            "order_count",
            "order_day_count",
            "order_days_112d_count",
            "order_days_182d_count",
            "spend_112d_amount",
            "spend_182d_amount",
            "spend_total_amount",
            "order_day_share",
            "order_interval_mean_days",
            "order_interval_std_days",
            "order_interval_max_days",
            "order_weekday_top_share",
            "age_at_last_order_days",
        ),
        say.rare_orders,
        say.regular_orders,
    ),
    Cause(
        "basket",
        "the amount of an order",
        "offer",
        ("basket_mean_amount", "basket_last_amount", "basket_std_amount"),
        say.smaller_baskets,
        say.larger_baskets,
    ),
    Cause(
        "choice",
        "how much of the catalogue, and over how many channels, the customer buys",
        "product",
        (
            "item_distinct_count",
            "items_per_order_mean_count",
            "repeat_item_share",
            "order_channel_count",
            "order_store_count",
        ),
        say.narrow_choice,
        say.wide_choice,
    ),
    Cause(
        "no_visit",
        "visits, searches and carts",
        "offer",
        (
            "browsing_event_count",
            *(
                f"{kind}_{days}d_count"
                for kind in ("view", "search", "cart_add", "cart_remove", "wishlist")
                for days in (7, 28)
            ),
            "browsed_item_28d_count",
            "dislike_count",
            "days_since_last_browsing",
            "browsing_day_28d_count",
            "browsing_trend_share",
            "browsing_interval_mean_days",
            "browsing_silence_ratio",
        ),
        say.no_visit,
        say.recent_visit,
    ),
    Cause(
        "contract",
        "contracts that run or ended",
        "offer",
        (
            "subscription_count",
            "subscription_running_count",
            "subscription_ended_count",
            "subscription_monthly_amount",
            "subscription_age_days",
            "days_since_last_subscription_start",
            "days_since_last_subscription_end",
            "subscription_ended_mean_days",
            "subscription_plan_count",
        ),
        say.ended_contract,
        say.running_contract,
    ),
    Cause(
        "messages",
        "messages sent and opened, and what was shown",
        "none",
        (
            "contact_count",
            "contact_28d_count",
            "contact_unopened_28d_count",
            "contact_open_share",
            "contact_click_share",
            "days_since_last_contact",
            "days_since_last_contact_open",
            "days_since_last_contact_click",
            "impression_count",
            "impression_28d_count",
            "impression_item_28d_count",
            "impression_offer_28d_count",
            "recommendation_28d_count",
            "days_since_last_impression",
        ),
        say.ignored_messages,
        say.opened_messages,
    ),
    Cause(
        "offers",
        "offers made and used",
        "offer",
        (
            "offer_treatment_count",
            "offer_treatment_90d_count",
            "offer_redemption_count",
            "offer_redemption_90d_count",
            "offer_redemption_cost_amount",
            "offer_redemption_share",
            "days_since_last_treatment",
            "days_since_last_redemption",
        ),
        say.unused_offers,
        say.used_offers,
    ),
    Cause(
        "tenure",
        "how long the customer has been one, and the customer's age",
        "none",
        ("days_since_first_order", "days_since_sign_up", "age_years"),
        say.new_customer,
        say.old_customer,
    ),
    Cause(
        "referrals",
        "customers brought",
        "none",
        ("referral_count", "referral_reward_amount", "days_since_last_referral"),
        say.nothing,
        say.referred,
    ),
)
CAUSE_OF: dict[str, Cause] = {name: cause for cause in CAUSES for name in cause.features}
