//! The story, chapter by chapter.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{NaiveDate, TimeDelta};
use mainstay_api::mainstay::delivery::v1 as delivery;
use mainstay_api::mainstay::delivery::v1::delivery_service_client::DeliveryServiceClient;
use mainstay_api::mainstay::expansion::v1 as expansion;
use mainstay_api::mainstay::expansion::v1::opportunity_service_client::OpportunityServiceClient;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::interventions::v1::alert_service_client::AlertServiceClient;
use mainstay_api::mainstay::interventions::v1::case_service_client::CaseServiceClient;

use super::stage::Stage;
use super::usage::Usage;
use crate::connection::ServiceName;
use crate::failure::Failure;
use crate::words::id_of;

/// What the commands read.
const FILES: [(&str, &str); 6] = [
    ("customers.csv", include_str!("../../../../demo/story/customers.csv")),
    ("growth.json", include_str!("../../../../demo/story/growth.json")),
    ("review.csv", include_str!("../../../../demo/story/review.csv")),
    ("scale.json", include_str!("../../../../demo/story/scale.json")),
    ("ticket.csv", include_str!("../../../../demo/story/ticket.csv")),
    ("ticket-resolved.csv", include_str!("../../../../demo/story/ticket-resolved.csv")),
];

/// Days before the story of which the product tells.
const DAYS_BEFORE: i64 = 70;

/// Puts the files that the commands read into a folder.
pub(super) fn write_files(folder: &Path) -> io::Result<()> {
    FILES.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}

/// Tells the whole story.
pub(super) async fn tell(stage: &mut Stage<'_>) -> Result<(), Failure> {
    two_customers(stage).await?;
    a_critical_ticket(stage).await?;
    let detractor = an_angry_answer(stage).await?;
    a_call_that_comes_too_late(stage, &detractor).await?;
    let case = silence(stage).await?;
    the_work(stage, &case).await?;
    another_answer(stage).await?;
    saved(stage, &case).await?;
    a_review(stage).await?;
    growth(stage).await?;
    stage.say("How well did the work go, and how are the services? (Mails wait in vain: no relay is set.)")?;
    stage.run(&["cases", "report", "--from", "2026-01-01"]).await?;
    stage.run(&["status"]).await
}

fn day(month: u32, day: u32) -> Result<NaiveDate, Failure> {
    NaiveDate::from_ymd_opt(2026, month, day).ok_or_else(|| Failure::Suite(format!("2026-{month}-{day} is no day")))
}

async fn two_customers(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("two customers")?;
    stage.run(&["import", "accounts", "customers.csv"]).await?;
    let today = stage.today();
    // All at once: told day by day, the first of them would look like customers who have been silent since.
    stage.use_product((1..=DAYS_BEFORE).map(|days_ago| today - TimeDelta::days(days_ago)), Usage::STEADY).await?;
    stage.settle().await?;
    stage.say(
        "The product has told what both did since October: who was active, with which features, how many API calls.",
    )?;
    stage.run(&["health", "list"]).await?;
    stage.say("What can be bought, and when customers are asked:")?;
    stage.run(&["plans", "apply", "scale", "scale.json", "--publish"]).await?;
    stage.run(&["plans", "apply", "growth", "growth.json", "--publish"]).await?;
    stage
        .run(&["surveys", "programs", "create", "after-tickets", "--kind", "nps", "--when", "critical-ticket"])
        .await?;
    stage.run(&["surveys", "programs", "publish", "after-tickets"]).await
}

async fn a_critical_ticket(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.live_until(day(1, 12)?, Usage::STEADY).await?;
    stage.chapter("nothing can be exported at Globex")?;
    stage.run(&["import", "signals", "ticket.csv"]).await?;
    stage.run(&["alerts", "list"]).await?;
    stage.pass(TimeDelta::hours(6)).await?;
    stage.say("Six hours later the ticket is resolved, and the alert closes itself.")?;
    stage.run(&["import", "signals", "ticket-resolved.csv"]).await?;
    stage.run(&["alerts", "list", "--closed"]).await
}

/// The detractor's case.
async fn an_angry_answer(stage: &mut Stage<'_>) -> Result<String, Failure> {
    stage.live_until(day(1, 13)?, Usage::STEADY).await?;
    stage.chapter("whoever had the ticket is asked")?;
    stage.run(&["messages", "list", "--from", "surveys"]).await?;
    let link = survey_link(stage).await?;
    stage.say("Ada opens the link in her mail, chooses 3 of 10, and writes: \"Exports failed for hours again\".")?;
    stage.answer_page(&link, 3, "Exports failed for hours again").await?;
    stage.run(&["alerts", "list"]).await?;
    stage.run(&["cases", "list"]).await?;
    open_case(stage, interventions::CaseKind::Detractor).await
}

async fn a_call_that_comes_too_late(stage: &mut Stage<'_>, case: &str) -> Result<(), Failure> {
    stage.pass(TimeDelta::hours(5)).await?;
    stage.chapter("nobody has called, and an enterprise is called within 4 hours")?;
    stage.run(&["cases", "story", case, "--limit", "5"]).await?;
    stage.say("Dora, the director, has been told. Mia calls, and finds out:")?;
    stage.run(&["cases", "touch", case, "Ada lost a day to failed exports", "--channel", "call", "--answered"]).await?;
    stage.run(&["cases", "advance", case, "contacted"]).await?;
    let (cause, plan) = ("Exports time out above 50 000 rows", "Export in parts, by Thursday");
    stage.run(&["cases", "update", case, "--root-cause", cause, "--plan", plan]).await?;
    stage.run(&["cases", "advance", case, "cause-found"]).await?;
    stage.run(&["cases", "advance", case, "planned"]).await?;
    stage.run(&["cases", "get", case]).await?;
    stage.live_until(day(1, 15)?, Usage::STEADY).await?;
    stage.say("On Thursday it is fixed and shown to Ada. Surveys will ask her again in 30 days.")?;
    stage.run(&["cases", "update", case, "--resolution", "Exports come in parts now; shown to Ada"]).await?;
    stage.run(&["cases", "advance", case, "resolved"]).await
}

/// The case at risk.
async fn silence(stage: &mut Stage<'_>) -> Result<String, Failure> {
    stage.live_until(day(1, 16)?, Usage::STEADY).await?;
    stage.live_until(day(2, 9)?, Usage::SILENT).await?;
    stage.chapter("nobody at Globex has been seen for more than three weeks")?;
    stage.run(&["health", "list"]).await?;
    stage.run(&["alerts", "list"]).await?;
    stage.run(&["cases", "list", "--kind", "at-risk"]).await?;
    stage.say("What should Mia talk about?")?;
    stage.run(&["cases", "talking-points", "globex"]).await?;
    open_case(stage, interventions::CaseKind::AtRisk).await
}

async fn the_work(stage: &mut Stage<'_>, case: &str) -> Result<(), Failure> {
    let alerts = open_alerts(stage).await?;
    let mut acknowledge = vec!["alerts", "acknowledge"];
    acknowledge.extend(alerts.iter().map(String::as_str));
    stage.run(&acknowledge).await?;
    stage.run(&["cases", "advance", case, "assessing"]).await?;
    stage.say("A step that is not done is refused, with what is missing:")?;
    stage.run_refused(&["cases", "advance", case, "intervening"]).await?;
    stage.run(&["cases", "update", case, "--done", "history,usage,tickets,renewal,priority"]).await?;
    let cause = "The team moved exports to a script of their own and stopped logging in";
    stage
        .run(&["cases", "update", case, "--root-cause", cause, "--plan", "Show the new exports, train the team"])
        .await?;
    stage.run(&["cases", "advance", case, "intervening"]).await?;
    stage
        .run(&["cases", "touch", case, "Trained the team for two hours", "--channel", "meeting", "--answered"])
        .await?;
    stage.run(&["cases", "advance", case, "resolving"]).await?;
    stage.run(&["cases", "update", case, "--what-worked", "A training of two hours on their own data"]).await?;
    stage.say("Saved? Not before scoring confirms it:")?;
    stage.run_refused(&["cases", "close", case, "--outcome", "saved"]).await
}

async fn another_answer(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.live_until(day(2, 17)?, Usage::GROWING).await?;
    stage.chapter("30 days after the complaint was resolved, Ada was asked again")?;
    let link = survey_link(stage).await?;
    stage.say("This time she answers 9.")?;
    stage.answer_page(&link, 9, "Quick help and it works").await?;
    stage.run(&["surveys", "report", "resurveys"]).await
}

async fn saved(stage: &mut Stage<'_>, case: &str) -> Result<(), Failure> {
    stage.live_until(day(3, 2)?, Usage::GROWING).await?;
    stage.chapter("four weeks after the training")?;
    stage.run(&["health", "explain", "globex"]).await?;
    stage.run(&["cases", "close", case, "--outcome", "saved"]).await?;
    stage.run(&["cases", "get", case]).await
}

async fn a_review(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.live_until(day(4, 20)?, Usage::GROWING).await?;
    stage.pass(TimeDelta::hours(12)).await?;
    stage.chapter("a review of the quarter, and what people say counts beside what they do")?;
    stage
        .say("Globex asked for it. Ben gave ten of ten, and Mia notes that all is well, which fades within 90 days.")?;
    stage.run(&["import", "signals", "review.csv"]).await?;
    stage.run(&["health", "get", "globex"]).await?;
    stage.say("And all customers, in numbers:")?;
    stage.run(&["reports", "health", "--period", "week"]).await
}

async fn growth(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.live_until(day(5, 4)?, Usage::GROWING).await?;
    stage.chapter("March and April were near the plan's limit, and the month's review has found it")?;
    stage.run(&["opportunities", "explain", "globex", "api_calls"]).await?;
    stage.run(&["opportunities", "pipeline"]).await?;
    let opportunity = open_opportunity(stage).await?;
    stage.say("Mia does what each stage asks for, hands over to sales, and in the end it is won.")?;
    loop {
        let now = get_opportunity(stage, &opportunity).await?;
        let mut check = vec!["opportunities", "check", "globex"];
        check.extend(now.checklist.iter().filter(|item| item.done_time.is_none()).map(|item| item.id.as_str()));
        stage.run(&check).await?;
        match now.stage() {
            expansion::OpportunityStage::Closing => break,
            expansion::OpportunityStage::Proposal => {
                stage.run(&["opportunities", "hand-over", "globex", "--to", "sam@example.com"]).await?;
            }
            _ => {}
        }
        stage.run(&["opportunities", "advance", "globex"]).await?;
    }
    stage.run(&["opportunities", "close", "globex", "--won"]).await
}

/// The link to the answer page in the newest mail to Ada.
async fn survey_link(stage: &Stage<'_>) -> Result<String, Failure> {
    let mut client = DeliveryServiceClient::new(stage.channel(ServiceName::Surveys));
    let request = delivery::ListMessagesRequest { account: "accounts/globex".to_owned(), ..Default::default() };
    let listed = client.list_messages(request).await?.into_inner().messages;
    let newest = listed.first().ok_or_else(|| missing("mail to Ada"))?;
    let message = client.get_message(delivery::GetMessageRequest { name: newest.name.clone() }).await?.into_inner();
    let Some(delivery::message::Content::Email(email)) = message.content else { return Err(missing("mail to Ada")) };
    let links = email.text.split_whitespace().filter(|word| word.starts_with("http://") && word.contains("/a/"));
    let link = links.map(|link| link.split('?').next().unwrap_or(link)).next();
    Ok(link.ok_or_else(|| missing("link in the mail"))?.to_owned())
}

async fn open_case(stage: &Stage<'_>, kind: interventions::CaseKind) -> Result<String, Failure> {
    let mut client = CaseServiceClient::new(stage.channel(ServiceName::Interventions));
    let request = interventions::ListCasesRequest { kind: kind.into(), ..Default::default() };
    let listed = client.list_cases(request).await?.into_inner().cases;
    Ok(id_of(&listed.first().ok_or_else(|| missing("case"))?.name).to_owned())
}

async fn open_alerts(stage: &Stage<'_>) -> Result<Vec<String>, Failure> {
    let mut client = AlertServiceClient::new(stage.channel(ServiceName::Interventions));
    let listed = client.list_alerts(interventions::ListAlertsRequest::default()).await?.into_inner().alerts;
    Ok(listed.iter().map(|alert| id_of(&alert.name).to_owned()).collect())
}

async fn open_opportunity(stage: &Stage<'_>) -> Result<String, Failure> {
    let mut client = OpportunityServiceClient::new(stage.channel(ServiceName::Expansion));
    let listed = client.list_opportunities(expansion::ListOpportunitiesRequest::default()).await?.into_inner();
    Ok(listed.opportunities.first().ok_or_else(|| missing("opportunity"))?.name.clone())
}

async fn get_opportunity(stage: &Stage<'_>, name: &str) -> Result<expansion::Opportunity, Failure> {
    let mut client = OpportunityServiceClient::new(stage.channel(ServiceName::Expansion));
    let request = expansion::GetOpportunityRequest { name: name.to_owned() };
    Ok(client.get_opportunity(request).await?.into_inner())
}

fn missing(what: &str) -> Failure {
    Failure::Suite(format!("the story went another way: there is no {what}"))
}
