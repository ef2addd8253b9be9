//! What an agent says without asking its model: the same few sentences, in the languages that we have them in.

use crate::voice::language::Language;

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
    /// After the beginning of a question that is too long for the voice.
    pub too_long_to_read: &'static str,
}

impl Phrases {
    /// All that may be needed at any moment, and so is worth being made before.
    pub fn urgent(&self) -> impl Iterator<Item = &'static str> {
        let apologies = [self.no_answer, self.broken_off, self.voice_failed, self.not_understood];
        self.fillers.iter().copied().chain(apologies).chain([self.still_there, self.goodbye])
    }
}

/// The sentences in `language`, or in English.
pub fn phrases(language: Option<Language>) -> &'static Phrases {
    match language.unwrap_or(Language::English) {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
        Language::French => &FRENCH,
        Language::Spanish => &SPANISH,
        Language::Italian => &ITALIAN,
        Language::Portuguese => &PORTUGUESE,
        Language::Dutch => &DUTCH,
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
    too_long_to_read: "The rest is too long to be read out. Please read it on the page and answer there.",
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
    too_long_to_read: "Der Rest ist zu lang zum Vorlesen. Bitte lesen Sie ihn auf der Seite und antworten Sie dort.",
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
    too_long_to_read: "Le reste est trop long pour être lu à voix haute. Lisez-le sur la page et répondez-y.",
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
    too_long_to_read: "El resto es demasiado largo para leerlo en voz alta. Léalo en la página y responda allí.",
};

const ITALIAN: Phrases = Phrases {
    greeting: "Salve! Come posso aiutarla?",
    fillers: &["Un momento, per favore.", "Guardo subito.", "Un secondo."],
    no_answer: "Mi dispiace, in questo momento non so rispondere. Riprovi tra poco.",
    broken_off: "Mi dispiace, ho perso il filo. Può ripetere la domanda?",
    voice_failed: "Mi dispiace, mi manca la voce. Me lo richieda tra un momento.",
    not_understood: "Mi dispiace, non ho capito. Può ripetere?",
    still_there: "È ancora in linea?",
    put_through: "La metto in comunicazione.",
    goodbye: "Arrivederci!",
    too_long: "Non posso parlare più a lungo. Richiami, per favore. Arrivederci!",
    say_yes_or_no: "Risponda sì o no.",
    too_long_to_read: "Il resto è troppo lungo per essere letto ad alta voce. Lo legga sulla pagina e risponda lì.",
};

const PORTUGUESE: Phrases = Phrases {
    greeting: "Olá! Em que posso ajudar?",
    fillers: &["Um momento, por favor.", "Vou ver.", "Só um segundo."],
    no_answer: "Desculpe, neste momento não consigo responder. Tente de novo daqui a pouco.",
    broken_off: "Desculpe, perdi o fio à meada. Pode perguntar outra vez?",
    voice_failed: "Desculpe, falha-me a voz. Pergunte-me outra vez daqui a pouco.",
    not_understood: "Desculpe, não entendi. Pode repetir?",
    still_there: "Ainda está aí?",
    put_through: "Vou passar a chamada.",
    goodbye: "Até logo!",
    too_long: "Não posso falar por mais tempo. Ligue outra vez, por favor. Até logo!",
    say_yes_or_no: "Responda sim ou não, por favor.",
    too_long_to_read: "O resto é longo demais para ser lido em voz alta. Leia-o na página e responda lá.",
};

const DUTCH: Phrases = Phrases {
    greeting: "Hallo! Waarmee kan ik u helpen?",
    fillers: &["Een ogenblik, alstublieft.", "Ik kijk even.", "Een seconde."],
    no_answer: "Het spijt me, ik weet nu even geen antwoord. Probeert u het zo nog eens.",
    broken_off: "Het spijt me, ik ben de draad kwijt. Kunt u het nog eens vragen?",
    voice_failed: "Het spijt me, mijn stem laat me in de steek. Vraagt u het zo nog eens.",
    not_understood: "Het spijt me, dat heb ik niet verstaan. Kunt u het herhalen?",
    still_there: "Bent u er nog?",
    put_through: "Ik verbind u door.",
    goodbye: "Tot ziens!",
    too_long: "Langer mag ik niet praten. Belt u alstublieft nog eens. Tot ziens!",
    say_yes_or_no: "Zegt u alstublieft ja of nee.",
    too_long_to_read: "De rest is te lang om voor te lezen. Leest u die op de pagina en antwoord daar.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_sentences_of_its_own() {
        assert_eq!(phrases(None), &ENGLISH);
        for language in Language::ALL {
            let others = Language::ALL.into_iter().filter(|other| *other != language);
            for other in others {
                assert_ne!(phrases(Some(language)).say_yes_or_no, phrases(Some(other)).say_yes_or_no);
            }
        }
    }
}
