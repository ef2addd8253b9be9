//! The words of consent, language by language. They are data: what is not in these tables is never a yes.
//!
//! Phrases are written as people write them; case, accents, apostrophes, hyphens and the spaces inside do not count when
//! they are compared, because every recogniser spells them differently.

use super::super::language::Language;

/// The words of one language. A phrase stands in one list only.
#[derive(Debug)]
pub struct Table {
    /// The plain word for yes. After a no it makes the answer unclear.
    pub particles: &'static [&'static str],
    /// Phrases that consent by themselves.
    pub consents: &'static [&'static str],
    /// What may stand beside a consent and changes nothing.
    pub beside: &'static [&'static str],
    /// What people also say only to show that they listen: no consent alone, harmless beside one.
    pub listening: &'static [&'static str],
    /// What makes a question of the sentence before it: harmless in front of a consent only.
    pub tags: &'static [&'static str],
    /// Sounds of thinking: harmless in front of a consent, a hesitation after it.
    pub fillers: &'static [&'static str],
    /// What refuses, wherever it stands.
    pub refusals: &'static [&'static str],
    /// What is neither yes nor no although it holds such words: doubts, "why not", "what did you say?", "wait".
    pub neither: &'static [&'static str],
}

/// The words of a language.
pub fn table(language: Language) -> &'static Table {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
        Language::French => &FRENCH,
        Language::Spanish => &SPANISH,
        Language::Italian => &ITALIAN,
        Language::Portuguese => &PORTUGUESE,
        Language::Dutch => &DUTCH,
    }
}

#[rustfmt::skip]
const ENGLISH: Table = Table {
    particles: &["yes", "yeah", "yep", "yup", "yea", "yeh", "yah", "yessir", "aye"],
    consents: &[
        "sure", "sure thing", "for sure", "of course", "certainly", "absolutely", "definitely", "by all means",
        "go ahead", "go right ahead", "go for it", "go on then", "do it", "do that", "do so", "please do",
        "just do it", "do it then", "go ahead and do it", "go ahead and do that", "go ahead then", "I confirm",
        "I can confirm", "I confirm that", "I agree", "I approve", "that's right", "that is right", "that's correct",
        "that is correct", "yes correct", "exactly", "affirmative", "indeed", "you bet", "proceed", "let's do it",
        "let's do that", "make it so", "I'd like that", "I would like that", "I'd love that", "you can go ahead",
        "you may go ahead", "you can do it", "you can do that", "I can confirm that",
    ],
    beside: &[
        "please", "thanks", "thank you", "thank you very much", "thanks a lot", "many thanks", "cheers", "ta", "it is",
        "that is", "I am", "I do", "I'd like to", "I would", "I want that", "I want you to", "you can", "you may",
        "do", "now", "right now", "right away", "straight away", "at once", "sir", "madam", "ma'am", "mate", "dear",
        "I'm sure", "I am sure", "I'm certain", "very much", "very well", "with pleasure", "gladly",
    ],
    listening: &[
        "ok", "okay", "okey", "kay", "alright", "all right", "fine", "that's fine", "good", "that's good", "great",
        "perfect", "cool", "lovely", "brilliant", "sounds good", "sounds great", "fine by me", "works for me",
        "got it", "I see", "uh-huh", "mm-hmm", "mhm", "mmhm", "understood", "right okay", "go on", "confirm",
        "confirmed", "agreed", "approved",
    ],
    tags: &["right", "correct", "true", "alright then", "innit"],
    fillers: &["um", "uhm", "uh", "er", "erm", "hm", "hmm", "ah", "oh", "well", "so", "mm"],
    refusals: &[
        "no", "nope", "nah", "naw", "never", "not", "don't", "do not", "cannot", "can't", "won't", "shouldn't",
        "mustn't", "isn't", "doesn't", "wasn't", "stop", "abort", "wrong", "incorrect", "refuse", "I decline",
        "negative", "forget it", "leave it", "never mind", "no way", "I disagree", "nay",
    ],
    neither: &[
        "not sure", "not so sure", "not quite sure", "not really sure", "not certain", "don't know", "do not know",
        "dunno", "no idea", "why not", "no problem", "no worries", "no objection", "no objections", "no doubt",
        "isn't it", "isn't that", "aren't you", "don't you", "didn't you", "wouldn't you", "can't hear", "cannot hear",
        "couldn't hear", "didn't hear", "did not hear", "didn't catch", "did not catch", "don't understand",
        "do not understand", "didn't understand", "did not understand", "didn't get", "did not get", "don't mind",
        "do not mind", "don't care", "don't remember", "not bad", "if not", "or not", "not so fast", "no hurry",
        "no rush", "yes and no", "wait", "hold on", "hang on", "one moment", "just a moment", "one second",
        "just a second", "a minute", "let me think", "pardon", "sorry", "excuse me", "come again", "say again",
        "say that again", "repeat", "once more", "one more time", "cancel", "can you confirm", "could you confirm",
        "not a problem", "maybe", "perhaps", "I guess", "I think so", "I suppose", "probably", "yes or no",
        "don't think so yet", "not following", "not with you",
    ],
};

#[rustfmt::skip]
const GERMAN: Table = Table {
    particles: &["ja", "jo", "joa ja", "jep", "jup", "jap", "jawohl", "jawoll", "jaja", "jau", "yes"],
    consents: &[
        "na klar", "klar doch", "aber klar", "ja klar", "aber ja", "aber sicher", "aber gerne", "aber natürlich",
        "natürlich", "natuerlich", "selbstverständlich", "selbstverstaendlich", "gerne", "gern", "sehr gerne",
        "sehr gern", "mach das", "machen Sie das", "mach es", "mach's", "machen Sie es", "machen Sie's", "tun Sie das",
        "tun Sie es", "tu das", "tu es", "mach mal", "mach ruhig", "machen Sie ruhig", "nur zu",
        "ich bin einverstanden", "bin einverstanden", "ich bestätige", "ich bestaetige", "ich bestätige das",
        "das bestätige ich", "das stimmt", "das ist richtig", "das ist korrekt", "so ist es", "genau", "ganz genau",
        "genauso", "ja richtig", "ja stimmt", "ja korrekt", "auf jeden Fall", "unbedingt", "freilich", "absolut",
        "definitiv", "ich stimme zu", "das können Sie machen", "das kannst du machen", "das dürfen Sie machen",
        "das darfst du machen", "du kannst das machen", "Sie können das machen", "leg los", "legen Sie los",
        "sicher doch", "so machen wir das", "machen wir so", "so machen wir es", "dann machen wir das",
        "dann mach das", "dann machen Sie das", "bitte machen",
    ],
    beside: &[
        "bitte", "bitte schön", "bitte sehr", "danke", "danke schön", "danke sehr", "vielen Dank", "herzlichen Dank",
        "besten Dank", "das können Sie", "das kannst du", "das dürfen Sie", "das darfst du", "sofort", "jetzt",
        "gleich", "das möchte ich", "das will ich", "das hätte ich gern", "ich bin sicher", "ich bin mir sicher",
        "doch", "das passt", "das passt so", "mit Vergnügen", "bitte gern", "bitte gerne",
    ],
    listening: &[
        "ok", "okay", "okey", "gut", "alles klar", "in Ordnung", "geht klar", "passt", "passt schon", "passt so",
        "super", "prima", "toll", "perfekt", "wunderbar", "klar", "mhm", "hm hm", "aha", "ach so", "verstehe",
        "verstanden", "geht in Ordnung", "das ist gut", "das ist in Ordnung", "gut so", "eben", "bestens", "bestätigt",
        "bestaetigt", "einverstanden",
    ],
    tags: &["richtig", "stimmt", "korrekt", "sicher", "exakt", "right"],
    fillers: &["äh", "aeh", "ähm", "aehm", "eh", "hm", "hmm", "na", "nun", "tja", "also", "ach", "oh", "ja also"],
    refusals: &[
        "nein", "nee", "ne", "nö", "noe", "nicht", "nichts", "kein", "keine", "keinen", "keinem", "keiner", "keines",
        "nie", "niemals", "auf keinen Fall", "keinesfalls", "stopp", "stop", "halt", "falsch", "lass das", "lass es",
        "lassen Sie das", "lassen Sie es", "lieber nicht", "bloß nicht", "abbrechen", "vergiss es", "vergessen Sie es",
        "nope", "naa", "nix", "abgelehnt", "ich lehne ab", "keineswegs",
    ],
    neither: &[
        "wie bitte", "warum nicht", "wieso nicht", "weiß nicht", "weiß ich nicht", "ich weiß es nicht",
        "nicht wahr", "nicht sicher", "nicht ganz sicher", "nicht so sicher", "kein Problem", "keine Ahnung",
        "kein Ding", "keine Sorge", "kein Thema", "nicht verstanden", "nicht gehört", "verstehe nicht",
        "verstehe ich nicht", "verstehe Sie nicht", "höre Sie nicht", "hör dich nicht", "höre dich nicht",
        "oder nicht", "ob nicht", "nicht schlecht", "nichts dagegen", "keinen Einwand", "keine Einwände", "na ja",
        "jein", "ja und nein", "ja oder nein", "moment", "einen Moment", "Moment mal", "Augenblick", "warte",
        "warte mal", "warten Sie", "Sekunde", "vielleicht", "ich glaube", "glaub schon", "ich denke", "schon",
        "von mir aus", "meinetwegen", "wenn es sein muss", "noch mal", "noch einmal", "pardon",
        "Entschuldigung", "Verzeihung", "wiederholen", "kannst du das bestätigen", "können Sie das bestätigen",
        "ist das richtig", "stimmt das", "eigentlich", "macht nichts", "nicht so schnell", "erinnere mich nicht",
        "absagen", "stornieren",
    ],
};

#[rustfmt::skip]
const FRENCH: Table = Table {
    particles: &["oui", "ouais", "ouaip", "ouai", "oui oui", "mais oui", "ben oui", "bah oui", "eh oui", "yes"],
    consents: &[
        "bien sûr", "bien sûr que oui", "bien entendu", "absolument", "tout à fait", "exactement", "certainement",
        "évidemment", "volontiers", "avec plaisir", "allez-y", "vas-y", "faites-le", "fais-le", "faites donc",
        "faites", "je confirme", "je le confirme", "je suis d'accord", "je valide", "affirmatif", "carrément",
        "je veux bien", "assurément", "effectivement", "oui c'est ça", "oui c'est exact", "oui c'est correct",
        "oui c'est bien ça", "je suis pour", "je l'autorise", "j'accepte", "je vous autorise", "allons-y", "lancez",
        "procédez", "faites comme ça", "sans hésiter", "sans aucun doute", "bien évidemment", "naturellement",
        "alors allez-y", "alors oui", "alors vas-y",
    ],
    beside: &[
        "s'il vous plaît", "s'il te plaît", "svp", "stp", "merci", "merci beaucoup", "merci bien", "je vous en prie",
        "monsieur", "madame", "mademoiselle", "maintenant", "tout de suite", "immédiatement", "vous pouvez", "tu peux",
        "je le veux", "je le souhaite", "j'en suis sûr", "j'en suis sûre", "j'en suis certain", "j'en suis certaine",
        "vous pouvez y aller", "tu peux y aller", "vous pouvez le faire", "tu peux le faire",
    ],
    listening: &[
        "ok", "okay", "d'accord", "entendu", "parfait", "bien", "très bien", "ça marche", "ça va", "c'est bon",
        "super", "c'est ça", "c'est exact", "c'est correct", "c'est juste", "c'est bien ça", "c'est bien", "exact",
        "voilà", "génial", "mhm", "compris", "je vois", "ça roule", "ça me va", "impeccable", "c'est parfait",
        "nickel", "confirmé", "c'est confirmé", "validé",
    ],
    tags: &["correct", "juste", "vrai", "c'est vrai", "bon"],
    fillers: &["euh", "heu", "ben", "bah", "ah", "oh", "hum", "hm", "eh bien", "eh ben", "mmm"],
    refusals: &[
        "non", "nan", "pas", "ne", "jamais", "surtout pas", "rien", "aucun", "aucune", "arrêtez", "arrête", "stop",
        "laissez tomber", "laisse tomber", "faux", "négatif", "je refuse", "refusé", "hors de question", "no", "nope",
        "n'y touchez pas", "ne faites pas", "halte",
    ],
    neither: &[
        "pas de problème", "pas de souci", "pas de soucis", "sans problème", "aucun problème", "aucun souci",
        "pourquoi pas", "je ne sais pas", "je sais pas", "sais pas", "chais pas", "pas sûr", "pas sûre", "pas certain",
        "pas certaine", "n'est-ce pas", "pas compris", "pas entendu", "pas bien compris", "pas bien entendu",
        "je ne comprends pas", "je comprends pas", "je ne vous entends pas", "je vous entends pas", "aucune idée",
        "pas mal", "ou pas", "ou non", "oui et non", "oui ou non", "ça ne me dérange pas", "ça me dérange pas",
        "n'importe", "pas si vite", "peut-être", "je crois", "je pense", "attendez", "attends", "un instant",
        "un moment", "une seconde", "une minute", "pardon", "comment", "excusez-moi", "excuse-moi", "répétez",
        "répète", "répéter", "encore une fois", "vous pouvez confirmer", "pouvez-vous confirmer", "c'est bien ça non",
        "annulez", "annule", "si vous voulez", "si tu veux", "plaît-il", "je me souviens pas", "je ne me souviens pas",
        "bof", "je ne suis pas sûr", "je ne suis pas sûre", "je ne suis pas certain", "je ne suis pas certaine",
    ],
};

#[rustfmt::skip]
const SPANISH: Table = Table {
    particles: &["sí", "sí sí", "sip", "sí señor", "sí señora", "yes"],
    consents: &[
        "claro que sí", "sí claro", "por supuesto", "por supuesto que sí", "desde luego", "desde luego que sí",
        "adelante", "hazlo", "hágalo", "hacedlo", "háganlo", "procede", "proceda", "dale", "dale pues",
        "estoy de acuerdo", "confirmo", "lo confirmo", "se lo confirmo", "te lo confirmo", "afirmativo", "exacto",
        "exactamente", "efectivamente", "con mucho gusto", "con gusto", "sí correcto", "sí es correcto", "sí así es",
        "sí eso es", "sin duda", "sin ninguna duda", "seguro que sí", "acepto", "lo autorizo", "lo apruebo",
        "claro hombre", "entonces sí", "entonces adelante", "naturalmente", "obvio que sí", "siga adelante",
        "sigue adelante", "ciertamente", "definitivamente sí",
    ],
    beside: &[
        "por favor", "porfa", "gracias", "muchas gracias", "mil gracias", "señor", "señora", "señorita",
        "ahora", "ahora mismo", "ya", "ya mismo", "en seguida", "lo quiero", "eso quiero", "estoy seguro",
        "estoy segura", "hombre", "de una vez", "inmediatamente",
    ],
    listening: &[
        "ok", "okay", "okey", "vale", "bien", "muy bien", "está bien", "perfecto", "claro", "claro claro",
        "de acuerdo", "eso es", "genial", "listo", "órale", "venga", "es correcto", "está correcto", "estupendo",
        "mhm", "ajá", "entiendo", "entendido", "me parece bien", "ya veo", "eso", "excelente", "confirmado", "así es",
        "autorizado", "aprobado",
    ],
    tags: &["correcto", "verdad", "cierto", "seguro", "es verdad", "bueno"],
    fillers: &["eh", "este", "pues", "ah", "oh", "mmm", "em", "hm", "a ver"],
    refusals: &[
        "no", "nop", "nope", "nunca", "jamás", "tampoco", "nada", "negativo", "para nada", "ni hablar",
        "de ninguna manera", "de ningún modo", "alto", "pare", "detente", "deténgase", "déjalo", "déjelo", "stop",
        "incorrecto", "equivocado", "mal", "ni loco", "me niego", "rechazo", "ni", "ningún",
    ],
    neither: &[
        "no sé", "no lo sé", "no sabría", "por qué no", "no hay problema", "ningún problema", "sin problema",
        "no hay de qué", "no estoy seguro", "no estoy segura", "cómo no", "no entiendo", "no entendí", "no le entendí",
        "no he entendido", "no le oigo", "no te oigo", "no oigo", "no escuché", "no escucho", "no le escucho",
        "no comprendo", "no recuerdo", "no tengo idea", "ni idea", "no importa", "no me importa", "o no", "sí o no",
        "sí y no", "no tan rápido", "quizás", "quizá", "tal vez", "a lo mejor", "creo que sí", "creo", "supongo",
        "espera", "espere", "un momento", "un segundo", "un minuto", "momentito", "perdón", "perdone", "disculpe",
        "disculpa", "cómo", "cómo dice", "qué", "mande", "repita", "repite", "otra vez", "puede repetir",
        "puede confirmar", "puedes confirmar", "es así", "cancela", "cancele", "cancelar", "cancélalo", "cancélelo",
        "más o menos", "depende", "no pasa nada", "si quiere", "si quieres",
    ],
};

#[rustfmt::skip]
const ITALIAN: Table = Table {
    particles: &["sì", "sì sì", "ma sì", "sissì", "sì signore", "sì signora", "yes"],
    consents: &[
        "certo", "certo che sì", "ma certo", "sì certo", "certamente", "sicuramente", "senz'altro", "senza dubbio",
        "confermo", "lo confermo", "glielo confermo", "te lo confermo", "procedi", "proceda", "procedi pure",
        "proceda pure", "vai pure", "vada pure", "vai avanti", "vada avanti", "fallo", "fallo pure", "lo faccia",
        "faccia pure", "fai pure", "esatto", "esattamente", "volentieri", "naturalmente", "ovviamente",
        "assolutamente sì", "sì assolutamente", "sono d'accordo", "affermativo", "accetto", "approvo", "sì esatto",
        "sì corretto", "sì è corretto", "sì giusto", "sì è giusto", "con piacere", "lo autorizzo", "autorizzo",
        "certissimo", "chiaro che sì", "allora sì", "allora procedi", "allora proceda",
    ],
    beside: &[
        "per favore", "per piacere", "per cortesia", "grazie", "grazie mille", "molte grazie", "signore", "signora",
        "signorina", "adesso", "ora", "subito", "immediatamente", "pure", "lo voglio", "lo vorrei", "ne sono sicuro",
        "ne sono sicura", "sono sicuro", "sono sicura", "ti prego", "la prego", "può farlo", "puoi farlo",
        "può procedere", "puoi procedere",
    ],
    listening: &[
        "ok", "okay", "va bene", "va benissimo", "d'accordo", "bene", "benissimo", "perfetto", "ottimo", "a posto",
        "è giusto", "è corretto", "assolutamente", "capito", "ho capito", "capisco", "mhm", "vabbè", "vabbene",
        "bravo", "tutto bene", "ah ecco", "ecco", "chiaro", "intesi", "mi va bene", "eccellente", "confermato",
        "approvato", "è proprio così", "proprio così",
    ],
    tags: &["giusto", "corretto", "vero", "sicuro", "è vero", "sicura"],
    fillers: &["eh", "ehm", "beh", "be'", "mah", "ah", "oh", "mmm", "hm", "dunque", "cioè"],
    refusals: &[
        "no", "non", "mai", "niente", "macché", "per niente", "lascia perdere", "lasci perdere", "lasci stare",
        "lascia stare", "fermo", "ferma", "fermati", "si fermi", "stop", "alt", "sbagliato", "errato", "neanche",
        "nemmeno", "neppure", "negativo", "nient'affatto", "rifiuto", "nessuno", "nessuna", "assolutamente no",
    ],
    neither: &[
        "non so", "non lo so", "boh", "perché no", "nessun problema", "non c'è problema", "non sono sicuro",
        "non sono sicura", "non ne sono sicuro", "come no", "non ho capito", "non capisco", "non ho sentito",
        "non sento", "non la sento", "non ti sento", "o no", "non importa", "non mi ricordo", "non ricordo",
        "non saprei", "non fa niente", "non mi dispiace", "non così in fretta", "sì e no", "sì o no", "prego",
        "pardon", "come", "come dice", "come scusi", "scusi", "scusa", "mi scusi", "cosa", "che cosa", "ripeta",
        "ripeti", "ripetere", "può ripetere", "può confermare", "puoi confermare", "ancora una volta", "un momento",
        "un attimo", "un secondo", "aspetta", "aspetti", "forse", "credo di sì", "credo", "penso di sì", "penso",
        "magari", "direi di sì", "annulla", "annulli", "annullare", "cancella", "dipende", "più o meno", "se vuole",
        "se vuoi", "di niente", "immagino", "suppongo",
    ],
};

#[rustfmt::skip]
const PORTUGUESE: Table = Table {
    particles: &["sim", "sim sim", "sim senhor", "sim senhora", "yes"],
    consents: &[
        "claro que sim", "sim claro", "com certeza", "certamente", "confirmo", "eu confirmo", "pode sim", "faça isso",
        "faz isso", "faça-o", "prossiga", "vá em frente", "vai em frente", "avance", "avança", "siga em frente",
        "é isso mesmo sim", "exatamente", "exactamente", "exato", "concordo", "eu concordo", "estou de acordo",
        "afirmativo", "sem dúvida", "sem dúvida alguma", "positivo", "sim é isso", "sim está certo", "sim correto",
        "sim certo", "sim exato", "aceito", "eu aceito", "autorizo", "eu autorizo", "aprovo", "com prazer",
        "com todo o gosto", "com muito gosto", "evidentemente", "naturalmente", "por certo", "quero sim", "é sim",
        "está sim", "está correto sim", "está certo sim", "seguramente", "então sim", "então faça isso",
    ],
    beside: &[
        "por favor", "faz favor", "se faz favor", "faça favor", "obrigado", "obrigada", "muito obrigado",
        "muito obrigada", "senhor", "senhora", "moço", "moça", "agora", "agora mesmo", "já", "imediatamente",
        "de imediato", "quero", "eu quero", "tenho certeza", "tenho a certeza", "valeu", "pode fazer",
        "pode fazer isso", "pode fazê-lo", "pode prosseguir", "pode avançar", "pode seguir", "pode mandar",
    ],
    listening: &[
        "ok", "okay", "okey", "está bem", "tá bem", "tá bom", "tá", "está bom", "está certo", "tá certo", "beleza",
        "muito bem", "ótimo", "óptimo", "perfeito", "claro", "isso", "é isso", "é isso aí", "fixe", "pode",
        "de acordo", "combinado", "está correto", "entendi", "entendido", "percebi", "uhum", "aham", "mhm", "pois",
        "pois é", "legal", "joia", "confirmado", "isso mesmo", "aprovado",
    ],
    tags: &["certo", "correto", "verdade", "é verdade", "né", "certeza", "bom", "bem"],
    fillers: &["eh", "hã", "hum", "ah", "oh", "mmm", "bem então", "ora", "ora bem", "hm"],
    refusals: &[
        "não", "nunca", "jamais", "negativo", "nada", "de jeito nenhum", "de maneira nenhuma", "nem pensar", "nem",
        "deixa", "deixa pra lá", "errado", "incorreto", "pare", "stop", "nenhum", "nenhuma", "recuso", "no",
        "tampouco", "de modo algum", "deixe",
    ],
    neither: &[
        "não sei", "sei lá", "por que não", "não há problema", "não tem problema",
        "sem problema", "sem problemas", "não tenho certeza", "não tenho a certeza", "não estou certo",
        "não estou certa", "pois não", "sim não é", "isso não é", "certo não é", "não entendi", "não percebi",
        "não ouvi", "não compreendi", "não entendo", "não te ouço", "não o ouço", "não estou ouvindo",
        "não estou a ouvir", "não faço ideia", "não faz mal", "ou não", "sim ou não", "sim e não", "não me lembro",
        "não lembro", "não me importo", "tanto faz", "pode ser", "talvez", "acho que sim", "acho", "creio que sim",
        "penso que sim", "espera", "espere", "espera aí", "um momento", "um instante", "um segundo", "um minuto",
        "peraí", "desculpe", "desculpa", "perdão", "como", "como disse", "o quê", "repita", "repete", "repetir",
        "outra vez", "mais uma vez", "de novo", "pode repetir", "pode confirmar", "cancela", "cancele", "cancelar",
        "mais ou menos", "depende", "se quiser", "imagino", "suponho", "não tão depressa", "deixe-me pensar",
        "deixa-me pensar", "deixe eu pensar",
    ],
};

#[rustfmt::skip]
const DUTCH: Table = Table {
    particles: &["ja", "jaja", "jawel", "jep", "jup", "yes", "joh ja"],
    consents: &[
        "jazeker", "ja hoor", "zeker", "absoluut", "natuurlijk", "tuurlijk", "uiteraard", "doe maar", "doe dat maar",
        "doe het maar", "doe dat", "doe het", "ga je gang", "gaat uw gang", "ga uw gang", "ga maar door", "ga door",
        "graag", "heel graag", "ik bevestig", "ik bevestig het", "ik bevestig dat", "dat bevestig ik", "dat klopt",
        "ja klopt", "ja dat klopt", "ja correct", "ik ga akkoord", "ik ben akkoord", "precies", "inderdaad",
        "vanzelfsprekend", "met plezier", "met genoegen", "ik ben het ermee eens", "dat mag u doen", "dat mag je doen",
        "dat kunt u doen", "dat kan je doen", "voer maar uit", "voer het maar uit", "ja juist", "zo is het",
        "wis en waarachtig", "vooruit maar", "doe maar gerust", "doe dat dan maar", "doe het dan maar",
        "dan doen we dat",
    ],
    beside: &[
        "alsjeblieft", "alstublieft", "aub", "ajb", "dank je", "dank u", "dank je wel", "dank u wel", "bedankt",
        "hartelijk dank", "meneer", "mevrouw", "nu", "meteen", "direct", "gelijk", "dat mag", "dat wil ik",
        "dat wil ik graag", "ik weet het zeker", "maar gerust",
    ],
    listening: &[
        "ok", "oké", "okay", "okee", "goed", "heel goed", "prima", "is goed", "dat is goed", "'t is goed", "in orde",
        "best", "mooi", "top", "fijn", "akkoord", "mag", "komt goed", "helder", "begrepen", "ik snap het", "mhm",
        "uhu", "aha", "perfect", "prachtig", "uitstekend", "lekker", "dat is prima", "hoor", "bevestigd", "mee eens",
        "goedgekeurd", "zeker weten",
    ],
    tags: &["klopt", "correct", "juist", "waar", "toch"],
    fillers: &["eh", "euh", "uh", "uhm", "eh ja", "hm", "hmm", "nou", "ach", "oh", "ah", "tja"],
    refusals: &[
        "nee", "neen", "neeje", "niet", "nooit", "geen", "niets", "niks", "stop", "stoppen", "hou op", "houd op",
        "laat maar", "fout", "onjuist", "verkeerd", "no", "nope", "afgekeurd", "ik weiger", "vergeet het", "nee hoor",
        "geenszins", "halt",
    ],
    neither: &[
        "weet ik niet", "weet het niet", "weet niet", "waarom niet", "niet zeker", "niet helemaal zeker",
        "geen probleem", "geen idee", "geen bezwaar", "nietwaar", "niet verstaan", "niet gehoord",
        "niet begrepen", "versta u niet", "versta je niet", "hoor u niet", "hoor je niet", "begrijp ik niet",
        "begrijp het niet", "snap het niet", "snap ik niet", "of niet", "maakt niet uit", "maakt mij niet uit",
        "niet erg", "geeft niet", "niets op tegen", "nou ja", "ja en nee", "ja of nee", "niet zo snel", "misschien",
        "ik denk het", "ik denk van wel", "ik geloof", "wacht", "wacht even", "even wachten", "moment", "een moment",
        "momentje", "een ogenblik", "seconde", "pardon", "sorry", "wat zegt u", "wat zeg je", "wablief", "herhalen",
        "herhaal", "nog een keer", "nogmaals", "kunt u bevestigen", "kun je bevestigen", "kunt u dat bevestigen",
        "is dat juist", "klopt dat", "annuleer", "annuleren", "afzeggen", "vooruit dan", "als het moet", "eventueel",
        "hangt ervan af", "mij best", "herinner me niet",
    ],
};
