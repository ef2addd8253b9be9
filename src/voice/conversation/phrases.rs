//! What an agent says without asking its model: the same few sentences, in the languages that we have them in.

/// The usual sentences in one language.
#[derive(Debug, PartialEq, Eq)]
pub struct Phrases {
    /// At the beginning.
    pub greeting: &'static str,
    /// While something takes long.
    pub fillers: &'static [&'static str],
    /// When the model fails.
    pub no_answer: &'static str,
    /// When the model fails in the middle of an answer.
    pub broken_off: &'static str,
    /// When the voice fails, and this was made before.
    pub voice_failed: &'static str,
    /// When speech was heard and not understood.
    pub not_understood: &'static str,
    /// When the caller has been silent for long.
    pub still_there: &'static str,
    /// Before another agent goes on.
    pub put_through: &'static str,
    /// Before the line is cut.
    pub goodbye: &'static str,
    /// When a conversation has lasted as long as it may.
    pub too_long: &'static str,
    /// In front of a question to which only yes or no is an answer.
    pub say_yes_or_no: &'static str,
}

impl Phrases {
    /// All that may be needed at any moment, and so is worth being made before.
    pub fn urgent(&self) -> impl Iterator<Item = &'static str> {
        let apologies = [self.no_answer, self.broken_off, self.voice_failed, self.not_understood];
        self.fillers.iter().copied().chain(apologies).chain([self.still_there, self.goodbye])
    }
}

/// The sentences in `language` (BCP 47), or in English.
pub fn phrases(language: Option<&str>) -> &'static Phrases {
    let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or_default().to_ascii_lowercase();
    match primary.as_str() {
        "de" => &GERMAN,
        "fr" => &FRENCH,
        "es" => &SPANISH,
        _ => &ENGLISH,
    }
}

const ENGLISH: Phrases = Phrases {
    greeting: "Hello! How can I help you?",
    fillers: &["One moment, please.", "Let me look.", "Just a second."],
    no_answer: "I am sorry, I cannot think of an answer right now. Please try again in a moment.",
    broken_off: "I am sorry, I lost my thread. Please ask me again.",
    voice_failed: "I am sorry, my voice is failing me. Please ask me again in a moment.",
    not_understood: "I am sorry, I did not catch that. Could you say it again?",
    still_there: "Are you still there?",
    put_through: "I am putting you through.",
    goodbye: "Goodbye!",
    too_long: "We have talked for as long as I may. Please call again. Goodbye!",
    say_yes_or_no: "Please say yes or no.",
};

const GERMAN: Phrases = Phrases {
    greeting: "Hallo! Wie kann ich helfen?",
    fillers: &["Einen Moment, bitte.", "Ich sehe nach.", "Eine Sekunde."],
    no_answer: "Entschuldigung, mir fällt gerade keine Antwort ein. Bitte versuchen Sie es gleich noch einmal.",
    broken_off: "Entschuldigung, ich habe den Faden verloren. Bitte fragen Sie noch einmal.",
    voice_failed: "Entschuldigung, mir versagt die Stimme. Bitte fragen Sie mich gleich noch einmal.",
    not_understood: "Entschuldigung, das habe ich nicht verstanden. Können Sie es noch einmal sagen?",
    still_there: "Sind Sie noch da?",
    put_through: "Ich verbinde Sie.",
    goodbye: "Auf Wiederhören!",
    too_long: "Länger darf ich nicht sprechen. Bitte rufen Sie noch einmal an. Auf Wiederhören!",
    say_yes_or_no: "Bitte sagen Sie ja oder nein.",
};

const FRENCH: Phrases = Phrases {
    greeting: "Bonjour ! Que puis-je faire pour vous ?",
    fillers: &["Un instant, s'il vous plaît.", "Je regarde.", "Une seconde."],
    no_answer: "Désolé, je ne peux pas répondre pour le moment. Réessayez dans un instant.",
    broken_off: "Désolé, j'ai perdu le fil. Pouvez-vous répéter ?",
    voice_failed: "Désolé, ma voix me fait défaut. Redemandez-moi dans un instant, s'il vous plaît.",
    not_understood: "Désolé, je n'ai pas compris. Pouvez-vous répéter ?",
    still_there: "Êtes-vous toujours là ?",
    put_through: "Je vous mets en communication.",
    goodbye: "Au revoir !",
    too_long: "Je ne peux pas parler plus longtemps. Rappelez-moi, s'il vous plaît. Au revoir !",
    say_yes_or_no: "Répondez par oui ou par non.",
};

const SPANISH: Phrases = Phrases {
    greeting: "¡Hola! ¿En qué puedo ayudarle?",
    fillers: &["Un momento, por favor.", "Déjeme ver.", "Un segundo."],
    no_answer: "Lo siento, ahora mismo no puedo responder. Inténtelo de nuevo en un momento.",
    broken_off: "Lo siento, he perdido el hilo. ¿Puede repetirlo?",
    voice_failed: "Lo siento, me falla la voz. Pregúnteme otra vez dentro de un momento.",
    not_understood: "Lo siento, no le he entendido. ¿Puede repetirlo?",
    still_there: "¿Sigue ahí?",
    put_through: "Le paso la llamada.",
    goodbye: "¡Adiós!",
    too_long: "No puedo hablar más tiempo. Vuelva a llamar, por favor. ¡Adiós!",
    say_yes_or_no: "Responda sí o no.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_first_part() {
        assert_eq!(phrases(Some("de-AT")), &GERMAN);
        assert_eq!(phrases(Some("DE")), &GERMAN);
        assert_eq!(phrases(Some("xx-YY")), &ENGLISH);
        assert_eq!(phrases(None), &ENGLISH);
    }
}
