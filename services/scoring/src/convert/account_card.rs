//! Accounts at a glance.

use mainstay_api::mainstay::scoring::v1 as proto;

use super::model::{input_message, story_message};
use super::{account, health, risk_trigger, why};
use crate::app::get_account_card::AccountCard;
use crate::domain::account_card::{NewestFigure, UseFigure};

/// A card as messages have it.
pub(crate) fn message(card: &AccountCard) -> proto::AccountCard {
    let explained = card.explained.as_ref();
    let glance = &card.at_a_glance;
    proto::AccountCard {
        account: Some(account::message(&card.account)),
        health: explained.map(|explained| health::health(&explained.now)),
        decline_triggers: explained.map(why::decline_triggers).unwrap_or_default(),
        recommended_steps: explained.map(why::recommended_steps).unwrap_or_default(),
        risk_triggers: card.lasting.iter().map(risk_trigger::message).collect(),
        uses: glance.uses.iter().map(use_figure).collect(),
        open_ticket_count: glance.open_tickets,
        urgent_ticket_count: glance.urgent_tickets,
        unpaid_invoice_count: glance.unpaid_invoices,
        open_dispute_count: glance.open_disputes,
        newest_figures: glance.newest_figures.iter().map(newest_figure).collect(),
        last_touch_day: glance.last_touch_day.map(|day| day.to_string()).unwrap_or_default(),
    }
}

fn use_figure(figure: &UseFigure) -> proto::UseFigure {
    proto::UseFigure {
        input: Some(input_message(&figure.input)),
        total: figure.total,
        earlier_total: figure.earlier_total,
        last_day: figure.last_day.to_string(),
    }
}

fn newest_figure(figure: &NewestFigure) -> proto::NewestFigure {
    let series = story_message(figure.series).into();
    proto::NewestFigure { series, value: figure.value, day: figure.day.to_string() }
}
