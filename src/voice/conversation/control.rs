//! Functions of the line itself that the model is offered beside the tools: hang up, hold, transfer, keys.
//!
//! A line over WebRTC can be cut and held. It has nobody to transfer to and no keypad on the other side, and says so.

use serde_json::{Map, Value, json};

use crate::voice::services::Offered;

/// What the line is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    /// End the conversation when everything is said.
    HangUp,
    /// Listen no more for now.
    Hold,
    /// Listen again.
    Resume,
    /// Connect the caller with somebody else.
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
        "Connects the caller with somebody else. Use it when the caller asks for a person.",
    ),
    (Control::Keys, "call_control_send_dtmf", "Presses keys of a telephone towards the other side of the line."),
];

impl Control {
    /// The function of this name.
    pub(super) fn called(name: &str) -> Option<Self> {
        ALL.iter().find(|(_, known, _)| *known == name).map(|(control, ..)| *control)
    }

    /// What the model learns of it.
    pub(super) fn answer(self, arguments: &Map<String, Value>) -> String {
        let named = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match self {
            Control::HangUp => "The line is cut as soon as everything is said.".into(),
            Control::Hold => "The caller is on hold. Say in a few words that you wait.".into(),
            Control::Resume => "The caller is listened to again.".into(),
            Control::Transfer => format!(
                "Not done: this line is a call in a browser and cannot be transferred to {}. Tell the caller, and \
                 offer to pass on a message.",
                Some(named("to")).filter(|to| !to.is_empty()).unwrap_or_else(|| "anybody".into())
            ),
            Control::Keys => "Not done: this line is a call in a browser and has no keypad on its other side.".into(),
        }
    }

    fn parameters(self) -> Value {
        let properties = match self {
            Control::Transfer => json!({ "to": {
                "type": "string", "description": "Whom: a name, a department or a telephone number."
            } }),
            Control::Keys => json!({ "digits": {
                "type": "string", "description": "The keys: 0 to 9, * and #, such as `12#`."
            } }),
            _ => json!({}),
        };
        json!({ "type": "object", "properties": properties, "required": names(&properties), "additionalProperties": false })
    }
}

fn names(properties: &Value) -> Vec<&String> {
    properties.as_object().into_iter().flat_map(Map::keys).collect()
}

/// The functions as a model is offered them.
pub(super) fn offered() -> impl Iterator<Item = Offered> {
    ALL.iter().map(|(control, name, description)| Offered::new(*name, *description, &control.parameters()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_found_by_its_name_and_answers() {
        for function in offered() {
            let control = Control::called(&function.name).unwrap();
            assert!(!control.answer(&Map::new()).is_empty());
            let parameters: Value = serde_json::from_str(function.parameters.get()).unwrap();
            assert_eq!(parameters["additionalProperties"], false, "{}", function.name);
        }
        assert_eq!(Control::called("google_calendar_list_meetings"), None);
        let to = Map::from_iter([("to".to_owned(), "sales".into())]);
        assert!(Control::Transfer.answer(&to).contains("cannot be transferred to sales"));
    }
}
