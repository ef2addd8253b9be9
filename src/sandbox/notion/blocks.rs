//! Blocks: what stands on pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Notion, errors, page as list_page, rich, time};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How many blocks one list of a request may have.
const MOST: usize = 100;

/// How deep a request may nest blocks.
const DEEPEST: usize = 2;

/// A block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// Its id.
    pub id: String,
    /// The page or block that it stands in.
    parent: String,
    /// The vendor's type.
    kind: String,
    /// As answers show it.
    content: Value,
    /// The ids of the blocks inside.
    pub children: Vec<String>,
    created: Timestamp,
}

impl Block {
    /// Its words.
    pub fn words(&self) -> String {
        rich::words(&self.content["rich_text"])
    }
}

impl Notion {
    fn shown_block(&self, block: &Block) -> Value {
        let is_page = self.pages.iter().any(|page| page.id == block.parent);
        let kind = if is_page { "page_id" } else { "block_id" };
        let name = block.kind.as_str();
        json!({
            "object": "block", "id": block.id, "type": name, name: block.content, "parent": { "type": kind, kind: block.parent },
            "created_time": time(block.created), "last_edited_time": time(block.created), "created_by": self.by_bot(),
            "last_edited_by": self.by_bot(), "has_children": !block.children.is_empty(), "archived": false,
            "in_trash": false,
        })
    }

    fn children_of(&self, id: &str) -> Result<&[String], Answer> {
        let page = self.pages.iter().find(|page| page.id == id).map(|page| &page.children[..]);
        let block = || self.blocks.get(id).map(|block| &block.children[..]);
        page.or_else(block).ok_or_else(|| errors::not_found("block", id))
    }

    fn adopt(&mut self, parent: &str, child: String) {
        if let Some(page) = self.pages.iter_mut().find(|page| page.id == parent) {
            page.children.push(child);
        } else if let Some(block) = self.blocks.get_mut(parent) {
            block.children.push(child);
        }
    }

    fn put(&mut self, id: String, parent: &str, kind: &str, content: Value, created: Timestamp) {
        let (parent_id, kind) = (parent.to_owned(), kind.to_owned());
        let block = Block { id: id.clone(), parent: parent_id, kind, content, children: vec![], created };
        self.blocks.insert(id.clone(), block);
        self.adopt(parent, id);
    }
}

/// `blocks/…/children`
pub fn list(world: &Notion, call: &Call<'_>) -> Outcome {
    let ids = world.children_of(call.segment("block_id"))?;
    let all = ids.iter().filter_map(|id| world.blocks.get(id)).map(|block| world.shown_block(block)).collect();
    list_page(all, "block", call.query("start_cursor"), call.number("page_size"))
}

/// `blocks/…/children`, appended.
pub fn append(world: &mut Notion, call: &Call<'_>) -> Outcome {
    let id = call.segment("block_id").to_owned();
    let before = world.children_of(&id)?.len();
    let children = call.body["children"].as_array().cloned().unwrap_or_default();
    add(world, &id, &children, call.now, 0)?;
    if let Some(page) = world.pages.iter_mut().find(|page| page.id == id) {
        page.edited = call.now;
    }
    let new: Vec<_> = world.children_of(&id)?[before..].to_vec();
    let all = new.iter().filter_map(|id| world.blocks.get(id)).map(|block| world.shown_block(block)).collect();
    list_page(all, "block", None, None)
}

/// Adds the blocks of a request to a page or a block.
pub fn add(world: &mut Notion, parent: &str, sent: &[Value], now: Timestamp, depth: usize) -> Result<(), Answer> {
    if sent.len() > MOST {
        let message =
            format!("body failed validation: body.children.length should be ≤ `{MOST}`, instead was `{}`.", sent.len());
        return Err(errors::invalid(&message));
    }
    if depth > DEEPEST && !sent.is_empty() {
        return Err(errors::invalid("body failed validation: body.children is nested too deeply."));
    }
    for block in sent {
        let (kind, content) = accept(block)?;
        let id = world.new_id();
        world.put(id.clone(), parent, &kind, content, now);
        let inner = block[kind.as_str()]["children"].as_array().cloned().unwrap_or_default();
        add(world, &id, &inner, now, depth + 1)?;
    }
    Ok(())
}

/// The block by which a page shows that another one stands below it.
pub fn link_page(world: &mut Notion, parent: &str, id: &str, title: &str, now: Timestamp) {
    world.put(id.to_owned(), parent, "child_page", json!({ "title": title }), now);
}

/// The type of a block that was sent, and its content in the form of answers.
fn accept(block: &Value) -> Result<(String, Value), Answer> {
    let names = block.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let named: Vec<_> = names.filter(|name| !matches!(*name, "object" | "type")).collect();
    let [kind] = named[..] else {
        return Err(errors::invalid("body failed validation: body.children[0] should have one type of block."));
    };
    let sent = &block[kind];
    let rich = |name: &str| rich::accept(&sent[name], &format!("body.children[0].{kind}.{name}"));
    let content = match kind {
        "paragraph" => json!({ "rich_text": rich("rich_text")?, "color": "default", "icon": null }),
        "heading_1" | "heading_2" | "heading_3" => {
            json!({ "rich_text": rich("rich_text")?, "color": "default", "is_toggleable": false })
        }
        "bulleted_list_item" | "numbered_list_item" | "quote" | "toggle" => {
            json!({ "rich_text": rich("rich_text")?, "color": "default" })
        }
        "to_do" => {
            json!({ "rich_text": rich("rich_text")?, "color": "default", "checked": sent["checked"] == true })
        }
        "code" => json!({ "rich_text": rich("rich_text")?, "caption": [], "language": sent["language"] }),
        "divider" => json!({}),
        "table" => json!({ "table_width": sent["table_width"], "has_column_header": sent["has_column_header"] == true,
            "has_row_header": sent["has_row_header"] == true }),
        "table_row" => {
            let cells = sent["cells"].as_array().cloned().unwrap_or_default();
            let cells: Vec<_> = cells
                .iter()
                .map(|cell| rich::accept(cell, "body.children[0].table_row.cells"))
                .collect::<Result<_, _>>()?;
            json!({ "cells": cells })
        }
        "image" => json!({ "type": "external", "external": { "url": sent["external"]["url"] }, "caption": [] }),
        _ => return Err(errors::invalid(&format!("body failed validation: {kind} blocks are not known."))),
    };
    Ok((kind.to_owned(), content))
}
