//! Resources, prompts and a completion.

use serde_json::json;
use switchboard::{
    shelf::{About, Contents, Message, Prompt, Resource, Shelf, Template},
    tool::{Call, Result},
};

use crate::{
    content::{PNG, image, resource},
    rounds::one_text,
};

/// Everything beside the tools.
pub fn shelf() -> std::result::Result<Shelf, String> {
    let static_text = Resource::new("test://static-text", "static-text").described("A text.", "text/plain");
    let static_binary = Resource::new("test://static-binary", "static-binary").described("A picture.", "image/png");
    let watched = Resource::new("test://watched-resource", "watched").described("A text to watch.", "text/plain");
    let by_id = Template::new("test://template/{id}/data", "data").described("Data by id.", "application/json");
    let with_arguments = Prompt::new("test_prompt_with_arguments", "Repeats its arguments.")
        .needs("arg1", "The first.")
        .needs("arg2", "The second.");
    let with_resource = Prompt::new("test_prompt_with_embedded_resource", "Shows a resource.")
        .needs("resourceUri", "The address of the resource.");
    Shelf::builder()
        .resource(static_text, |uri, _| says(uri, "This is the content of the static text resource."))
        .resource(static_binary, |uri, _| Box::pin(async move { Ok(vec![Contents::blob(uri, "image/png", PNG)]) }))
        .resource(watched, |uri, _| says(uri, "Watch this."))
        .template(by_id, |uri, given, _| {
            let id = &given["id"];
            let data = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            Box::pin(async move { Ok(vec![Contents::text(uri, "application/json", data.to_string())]) })
        })
        .prompt(Prompt::new("test_simple_prompt", "Says one sentence."), |_, _| {
            Box::pin(async { Ok(vec![Message::user("This is a simple prompt for testing.")]) })
        })
        .prompt(with_arguments, |given, _| {
            let text = format!("Prompt with arguments: arg1='{}', arg2='{}'", given["arg1"], given["arg2"]);
            Box::pin(async move { Ok(vec![Message::user(text)]) })
        })
        .prompt(with_resource, |given, _| {
            let shown = resource(&given["resourceUri"], "text/plain", "Embedded resource content for testing.");
            let text = "Please process the embedded resource above.";
            Box::pin(async move { Ok(vec![Message::shown(shown), Message::user(text)]) })
        })
        .prompt(Prompt::new("test_prompt_with_image", "Shows a picture."), |_, _| {
            Box::pin(async { Ok(vec![Message::shown(image()), Message::user("Please analyze the image above.")]) })
        })
        .prompt(Prompt::new("test_input_required_result_prompt", "Asks what it is about."), |_, cx| {
            Box::pin(asks_for_context(cx))
        })
        .completes(About::Prompt("test_prompt_with_arguments".into()), "arg1", |partial, _| {
            let known = ["testValue1", "testValue2", "other"].map(str::to_owned);
            let fitting = known.into_iter().filter(move |known| known.starts_with(&partial.value)).collect();
            Box::pin(async move { Ok(fitting) })
        })
        .build()
}

fn says<'a>(uri: String, text: &'static str) -> switchboard::tool::Boxed<'a, Result<Vec<Contents>>> {
    Box::pin(async move { Ok(vec![Contents::text(uri, "text/plain", text)]) })
}

async fn asks_for_context(cx: &Call) -> Result<Vec<Message>> {
    let given = cx.elicit("user_context", "What context should the prompt use?", one_text("context")).await?.fields();
    let context = given.get("context").and_then(|context| context.as_str()).unwrap_or("none");
    Ok(vec![Message::user(format!("Use this context: {context}"))])
}
