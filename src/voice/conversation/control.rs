//! Functions of the line itself that the model is offered beside the tools: hang up, hold, transfer, keys.
//!
//! A transfer is to another agent of the same person, because a line over WebRTC reaches nobody else.

use serde_json::{Map, Value, json};

use crate::voice::{services::Offered, tones::tones};

/// What the line is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    /// End the conversation when everything is said.
    HangUp,
    /// Listen no more for now.
    Hold,
    /// Listen again.
    Resume,
    /// Let another agent go on.
    Transfer,
    /// Press keys towards the caller.
    Keys,
}

const ALL: &[(Control, &str, &str)] = &[
    (
        Control::HangUp,
        "call_control_hang_up",
        "Ends this conversation, once everything is said. Say goodbye in the same answer. Use it when the caller wants to \
         end, and never otherwise.",
    ),
    (
        Control::Hold,
        "call_control_hold",
        "Puts the caller on hold: the microphone is not listened to until the caller comes back. Use it when the caller \
         asks you to wait.",
    ),
    (Control::Resume, "call_control_resume", "Listens to the caller again after a hold."),
    (
        Control::Transfer,
        "call_control_transfer",
        "Puts the caller through to another agent, once everything is said. Use it when the caller asks for that agent.",
    ),
    (
        Control::Keys,
        "call_control_send_dtmf",
        "Presses keys of a telephone: the other side of the line hears their tones. Use it when the caller asks for it.",
    ),
];

impl Control {
    /// The function of this name.
    pub(super) fn called(name: &str) -> Option<Self> {
        ALL.iter().find(|(_, known, _)| *known == name).map(|(control, ..)| *control)
    }

    fn parameters(self, others: &[String]) -> Value {
        let properties = match self {
            Control::Transfer => json!({ "to": { "type": "string", "description": "The agent.", "enum": others } }),
            Control::Keys => json!({ "digits": {
                "type": "string", "description": "The keys: 0 to 9, A to D, * and #, such as `12#`."
            } }),
            _ => json!({}),
        };
        json!({ "type": "object", "properties": properties, "required": names(&properties), "additionalProperties": false })
    }
}

fn names(properties: &Value) -> Vec<&String> {
    properties.as_object().into_iter().flat_map(Map::keys).collect()
}

/// The functions as a model is offered them. Nobody is put through where there are no `others`.
pub(super) fn offered(others: &[String]) -> impl Iterator<Item = Offered> {
    let is_there = |control: Control| control != Control::Transfer || !others.is_empty();
    ALL.iter()
        .filter(move |(control, ..)| is_there(*control))
        .map(|(control, name, description)| Offered::new(*name, *description, &control.parameters(others)))
}

/// The agent that is asked for, or what the model should know.
pub(super) fn addressee(arguments: &Map<String, Value>, others: &[String]) -> Result<String, String> {
    let to = arguments.get("to").and_then(Value::as_str).unwrap_or_default();
    let found = others.iter().find(|other| other.to_lowercase() == to.trim().to_lowercase());
    found.cloned().ok_or_else(|| match others {
        [] => "Not done: there is no other agent to put the caller through to. Tell the caller.".into(),
        others => format!("Not done: there is no agent {to:?}. There are: {}. Tell the caller.", others.join(", ")),
    })
}

/// The sound of the keys that are to be pressed, or what the model should know.
pub(super) fn keys(arguments: &Map<String, Value>) -> Result<Vec<i16>, String> {
    let digits = arguments.get("digits").and_then(Value::as_str).unwrap_or_default();
    tones(digits).ok_or_else(|| "Not done: `digits` takes 1 to 32 keys of 0 to 9, A to D, * and #.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_found_by_its_name() {
        let others = ["sales".to_owned()];
        for function in offered(&others) {
            assert!(Control::called(&function.name).is_some());
            let parameters: Value = serde_json::from_str(function.parameters.get()).unwrap();
            assert_eq!(parameters["additionalProperties"], false, "{}", function.name);
        }
        assert_eq!(offered(&others).count(), offered(&[]).count() + 1, "nobody is put through to nobody");
        assert_eq!(Control::called("google_calendar_list_meetings"), None);
    }

    #[test]
    fn a_caller_is_put_through_to_an_agent_that_is_there() {
        let others = ["Sales".to_owned(), "front desk".to_owned()];
        let to = |name: &str| addressee(&Map::from_iter([("to".to_owned(), name.into())]), &others);
        assert_eq!(to("sales ").as_deref(), Ok("Sales"));
        let refused = to("legal").unwrap_err();
        assert!(refused.contains("\"legal\"") && refused.contains("Sales, front desk"), "{refused}");
        assert!(addressee(&Map::new(), &[]).is_err());
    }
}
