//! What text messages may cost in a day.

use super::outbox;
use super::row::{Columns as _, change, one};
use super::work::Work;
use crate::domain::audit::{EventName, Outcome};
use crate::domain::message::DeliveryState;
use crate::domain::sms_budget::{Budget, day};
use crate::store::{BudgetsSpent, SpendBudgets, StoreError};

/// Counts a message against its budgets unless it was counted before. Beyond one of them it is suppressed; what it
/// was counted against until then stays counted.
pub(super) fn spend_budgets(
    work: &mut Work<'_>,
    intent: &SpendBudgets,
) -> Result<BudgetsSpent, StoreError> {
    let message_id = intent.message_id;
    let held = one(
        work.sql(),
        "SELECT account_id, counted FROM messages WHERE message_id = ?1 AND attempts = ?2 AND state = ?3",
        (
            message_id.as_bytes(),
            intent.attempt,
            DeliveryState::Queued.code(),
        ),
        |row| Ok((outbox::account_id(row)?, row.flag("counted")?)),
    )?;
    let Some((account_id, counted)) = held else {
        return Ok(BudgetsSpent::LeaseLost);
    };
    if counted {
        return Ok(BudgetsSpent::Spent);
    }
    for budget in &intent.budgets {
        if !spend(work, budget)? {
            let (name, why) = (EventName::MessageSuppressed, budget.beyond);
            outbox::end(work, message_id, DeliveryState::Suppressed, why.name())?;
            let event = outbox::event(work, name, message_id, account_id);
            work.record(event.because(Outcome::Refused, why.name()))?;
            return Ok(BudgetsSpent::Beyond(why));
        }
    }
    change(
        work.sql(),
        "UPDATE messages SET counted = 1 WHERE message_id = ?1",
        [message_id.as_bytes()],
    )?;
    Ok(BudgetsSpent::Spent)
}

/// Counts one more, if it may be. A counter of another day begins anew.
fn spend(work: &Work<'_>, budget: &Budget) -> Result<bool, StoreError> {
    if budget.per_day == 0 {
        return Ok(false);
    }
    let counted = change(
        work.sql(),
        "INSERT INTO sms_budgets (budget_key, day, spent) VALUES (?1, ?2, 1)
         ON CONFLICT (budget_key) DO UPDATE SET day = ?2, spent = CASE day WHEN ?2 THEN spent + 1 ELSE 1 END
         WHERE day <> ?2 OR spent < ?3",
        (budget.key.as_bytes(), day(work.now()), budget.per_day),
    )?;
    Ok(counted > 0)
}
