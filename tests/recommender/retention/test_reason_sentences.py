import pytest

from recommender.retention import reason_sentences as say
from recommender.retention.causes import CAUSES
from recommender.retention.reason_sentences import Figures

LATE_NOW = {"late_open_order_count": 2.0, "late_longest_91d_days": 6.4}
LATE_LATELY = {"late_open_order_count": 0.0, "late_order_91d_count": 1.0, "late_longest_91d_days": 1.0}
SAID = [
    (say.late_orders, LATE_NOW, "2 orders are late right now, by up to 6 days"),
    (say.late_orders, LATE_LATELY, "1 late order in the last 91 days, by up to 1 day"),
    (
        say.late_orders,
        {"late_order_91d_count": 0.0, "late_order_count": 3.0, "days_since_last_late_order": 120.0},
        "3 late orders so far, the last 120 days ago",
    ),
    (say.late_orders, {"late_order_91d_count": 0.0, "late_order_count": 0.0}, None),
    (say.punctual_orders, {"late_order_91d_count": 0.0, "late_order_share": 0.0}, "No late order in the last 91 days"),
    (say.punctual_orders, {"late_order_91d_count": 0.0}, None),
    (
        say.open_tickets,
        {"ticket_open_count": 2.0, "ticket_open_oldest_days": 9.2},
        "2 open tickets, the oldest for 9 days",
    ),
    (say.open_tickets, {"ticket_open_count": 1.0, "ticket_open_oldest_days": 0.2}, "1 open ticket for less than a day"),
    (
        say.open_tickets,
        {"ticket_open_count": 0.0, "ticket_90d_count": 3.0, "ticket_repeat_count": 1.0, "ticket_reopened_count": 1.0},
        "3 tickets in the last 90 days; 2 so far came back",
    ),
    (
        say.open_tickets,
        {
            "ticket_open_count": 0.0,
            "ticket_90d_count": 1.0,
            "ticket_repeat_count": 0.0,
            "ticket_reopened_count": 0.0,
            "ticket_resolution_last_days": 12.0,
        },
        "1 ticket in the last 90 days, the last solved after 12 days",
    ),
    (say.open_tickets, {"ticket_open_count": 0.0, "ticket_90d_count": 0.0}, None),
    (say.no_open_ticket, {"ticket_open_count": 0.0}, "No open ticket"),
    (
        say.low_answers,
        {"nps_last_score": 3.0, "nps_change_score": -2.0, "csat_last_score": 5.0},
        "Last NPS answer: 3 of 10, 2 lower than before",
    ),
    (say.low_answers, {"ces_last_score": 2.0}, "Last CES answer: 2 of 7"),
    (say.low_answers, {"csat_last_score": 5.0}, None),
    (say.high_answers, {"nps_last_score": 3.0, "csat_last_score": 5.0}, "Last CSAT answer: 5 of 5"),
    (say.high_answers, {}, None),
    (
        say.risen_prices,
        {"price_rise_mean_ratio": 1.08},
        "What is bought again costs 8% more than half a year before",
    ),
    (say.risen_prices, {"price_rise_mean_ratio": 1.001}, None),
    (
        say.steady_prices,
        {"price_rise_mean_ratio": 1.001},
        "What is bought again costs no more than half a year before",
    ),
    (
        say.lost_discounts,
        {"discount_lost_share": 0.13, "discount_91d_share": 0.02, "discount_before_share": 0.15},
        "Discounts took 2% off in the last 91 days, 15% before",
    ),
    (say.lost_discounts, {"discount_lost_share": 0.0}, None),
    (say.kept_discounts, {"discount_91d_share": 0.2}, "Discounts took 20% off in the last 91 days"),
    (
        say.returned_items,
        {"return_defect_182d_count": 2.0, "days_since_last_return": 8.0},
        "2 defective items returned in the last 182 days, the last return 8 days ago",
    ),
    (
        say.returned_items,
        {"return_defect_182d_count": 0.0, "return_182d_count": 1.0, "days_since_last_return": 8.0},
        "1 item returned in the last 182 days, the last 8 days ago",
    ),
    (say.returned_items, {"return_182d_count": 0.0}, None),
    (say.nothing_returned, {"return_182d_count": 0.0}, "No item returned in the last 182 days"),
    (
        say.no_order,
        {"days_since_last_order": 43.0, "order_interval_mean_days": 12.0},
        "No order for 43 days; usually every 12",
    ),
    (say.no_order, {"days_since_last_order": 43.0}, "No second order for 43 days"),
    (
        say.no_order,
        {"days_since_last_order": 5.0, "order_interval_mean_days": 12.0, "order_days_trend_share": 0.25},
        "Of the order days of the last 112 days, 25% fell into the last 56",
    ),
    (
        say.no_order,
        {"days_since_last_order": 5.0, "order_interval_mean_days": 12.0, "order_days_trend_share": 0.5},
        None,
    ),
    (
        say.recent_order,
        {"days_since_last_order": 3.0, "order_interval_mean_days": 12.0},
        "Last order 3 days ago; usually every 12",
    ),
    (
        say.recent_order,
        {"days_since_last_order": 20.0, "order_interval_mean_days": 12.0, "order_days_56d_count": 4.0},
        "4 days with an order in the last 56 days",
    ),
    (
        say.rare_orders,
        {"order_interval_mean_days": 40.0, "order_day_count": 5.0},
        "Only 5 days with an order so far, about 40 days apart",
    ),
    (say.rare_orders, {"order_day_count": 1.0}, "Only 1 day with an order so far"),
    (
        say.regular_orders,
        {"order_interval_mean_days": 6.0, "order_day_count": 34.0},
        "Orders every 6 days, 34 times so far",
    ),
    (
        say.smaller_baskets,
        {"basket_last_amount": 12.5, "basket_mean_amount": 30.0},
        "Last order of 12.50; usually 30.00",
    ),
    (say.smaller_baskets, {"basket_last_amount": 30.0, "basket_mean_amount": 12.5}, None),
    (say.narrow_choice, {"item_distinct_count": 3.0, "order_count": 12.0}, "Only 3 different items in 12 orders"),
    (say.narrow_choice, {"item_distinct_count": 12.0, "order_count": 12.0}, None),
    (say.wide_choice, {"item_distinct_count": 25.0}, "25 different items bought so far"),
    (
        say.no_visit,
        {"days_since_last_browsing": 30.0, "browsing_interval_mean_days": 7.0},
        "No visit for 30 days; usually every 7",
    ),
    (say.no_visit, {"browsing_event_count": 0.0}, "No visit known"),
    (say.recent_visit, {"days_since_last_browsing": 2.0}, "Last visit 2 days ago"),
    (
        say.ended_contract,
        {"subscription_ended_count": 1.0, "days_since_last_subscription_end": 20.0},
        "A contract ended 20 days ago",
    ),
    (
        say.running_contract,
        {"subscription_running_count": 1.0, "subscription_age_days": 400.0},
        "A contract has run for 400 days",
    ),
    (say.ignored_messages, {"contact_unopened_28d_count": 5.0}, "5 messages of the last 28 days not opened"),
    (say.opened_messages, {"contact_open_share": 0.6}, "60% of the messages opened"),
    (say.unused_offers, {"offer_treatment_count": 3.0, "offer_redemption_count": 0.0}, "3 offers made, none used"),
    (say.used_offers, {"offer_redemption_count": 1.0}, "1 offer used so far"),
    (say.new_customer, {"days_since_sign_up": 20.0}, "A customer for only 20 days"),
    (say.new_customer, {"days_since_sign_up": 400.0}, None),
    (say.old_customer, {"days_since_first_order": 700.0}, "A customer for 700 days"),
    (say.referred, {"referral_count": 2.0}, "2 customers referred so far"),
]


@pytest.mark.parametrize(("sentence", "figures", "said"), SAID, ids=lambda one: getattr(one, "__name__", None))
def test_a_sentence_tells_the_figures_of_the_customer(sentence, figures, said):
    assert sentence(Figures(figures)) == said


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.code)
def test_where_nothing_is_known_nothing_is_told(cause):
    assert cause.raises(Figures()) is None
    assert cause.lowers(Figures()) is None
