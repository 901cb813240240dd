//! An event as a line.

use crate::domain::time::Timestamp;
use crate::pb::Event;
use serde::Serialize;
use std::collections::BTreeMap;

/// An event as a JSON object: its fields by their names in the API.
#[derive(Serialize)]
struct Object<'a> {
    time: String,
    sequence: i64,
    event_id: &'a str,
    name: &'a str,
    level: String,
    actor: &'a str,
    account_id: &'a str,
    source_ip: &'a str,
    outcome: &'a str,
    reason: &'a str,
    correlation_id: &'a str,
    attributes: &'a BTreeMap<String, String>,
}

/// The event for programs.
pub(super) fn json(event: &Event) -> String {
    let level = event.level().as_str_name();
    let object = Object {
        time: time(event),
        sequence: event.sequence,
        event_id: &event.event_id,
        name: &event.name,
        level: level.trim_start_matches("LEVEL_").to_ascii_lowercase(),
        actor: &event.actor,
        account_id: &event.account_id,
        source_ip: &event.source_ip,
        outcome: &event.outcome,
        reason: &event.reason,
        correlation_id: &event.correlation_id,
        attributes: &event.attributes,
    };
    // Texts and numbers under text keys: nothing in it can fail.
    serde_json::to_string(&object).unwrap_or_default()
}

/// The event for people.
pub(super) fn text(event: &Event) -> String {
    let or_dash = |text: &str| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text.to_owned()
        }
    };
    [
        time(event),
        event.sequence.to_string(),
        or_dash(&event.name),
        or_dash(&event.outcome),
        or_dash(&event.reason),
        or_dash(&event.account_id),
        or_dash(&event.source_ip),
    ]
    .join(" ")
}

fn time(event: &Event) -> String {
    let time = event.time.unwrap_or_default();
    let micros = time.seconds.saturating_mul(1_000_000);
    Timestamp::from_micros(micros.saturating_add(i64::from(time.nanos) / 1_000)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::Level;
    use prost_types::Timestamp as WireTime;

    fn event() -> Event {
        Event {
            sequence: 42,
            event_id: "ab".repeat(16),
            time: Some(WireTime {
                seconds: 1_800_000_000,
                nanos: 250_000_000,
            }),
            name: "authn_password_change".to_owned(),
            level: Level::Info.into(),
            actor: "web".to_owned(),
            outcome: "success".to_owned(),
            source_ip: "192.0.2.1".to_owned(),
            attributes: [("factor".to_owned(), "SMS".to_owned())].into(),
            ..Event::default()
        }
    }

    #[test]
    fn people_read_seven_fields_and_a_dash_for_none() {
        assert_eq!(
            text(&event()),
            "2027-01-15T08:00:00.25Z 42 authn_password_change success - - 192.0.2.1"
        );
    }

    #[test]
    fn programs_read_every_field() {
        let object: serde_json::Value = serde_json::from_str(&json(&event())).unwrap();
        assert_eq!(object["sequence"], 42);
        assert_eq!(object["time"], "2027-01-15T08:00:00.25Z");
        assert_eq!(object["level"], "info");
        assert_eq!(object["account_id"], "");
        assert_eq!(object["attributes"]["factor"], "SMS");
    }
}
