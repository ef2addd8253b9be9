//! The tree of a page, built within bounds.
//!
//! `html5ever` is the parser of a browser engine and, like that, keeps whatever a page opens: elements within elements,
//! and formatting that it opens again in every block. So it works for a sink of ours that counts what it keeps and what
//! it looks at; when a bound is reached no further token gets to it. What one token can cost is bounded by what is
//! open, so nothing has to be interrupted in its midst.

use std::{borrow::Cow, cell::Cell, rc::Rc};

use html5ever::{
    Attribute, ExpandedName, QualName,
    buffer_queue::BufferQueue,
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    tendril::StrTendril,
    tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
    tree_builder::{TreeBuilder, TreeBuilderOpts},
};
use markup5ever_rcdom::{Node, NodeData, RcDom};

use super::{BLOCKS, TooMuch};
use crate::compute;

/// How deep elements may stand in each other: as deep as in Chromium and Safari.
pub(super) const MOST_DEPTH: usize = 512;

/// How many elements and formats may be open at a time. Each open element is held once for its place and once more
/// where it is a format.
const MOST_OPEN: usize = 2 * MOST_DEPTH;

/// How many elements and texts a page may have.
pub(super) const MOST_NODES: usize = 50_000;

/// How often the parser may look at something that it keeps: a hundred times for each node of the largest page.
const MOST_STEPS: usize = 5_000_000;

/// How much text may be copied on the way from the leaves to the root, in bytes, with what quotes and lists put before
/// each line.
const MOST_COPIED: usize = 100_000_000;

/// The tree of a cleaned page.
pub(super) fn parse(page: &str) -> Result<Rc<Node>, TooMuch> {
    let (root, used) = build(page);
    used.exceeded().map_or(Ok(()), Err)?;
    weigh(&root)?;
    Ok(root)
}

/// The tree, as far as it came.
fn build(page: &str) -> (Rc<Node>, Rc<Used>) {
    let used = Rc::new(Used::default());
    let sink = Bounded { dom: RcDom::default(), used: Rc::clone(&used) };
    let builder = TreeBuilder::new(sink, TreeBuilderOpts::default());
    let tokenizer = Tokenizer::new(Gate { builder, used: Rc::clone(&used) }, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(page));
    // It would stop at scripts only, and those were left out before.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    (tokenizer.sink.builder.sink.dom.document, used)
}

/// How often the parser looked at something that it keeps, for the tests that hold it to its bounds.
#[cfg(test)]
pub(super) fn steps(page: &str) -> usize {
    build(page).1.steps.get()
}

/// What the tree and its making came to so far.
#[derive(Debug, Default)]
struct Used {
    nodes: Cell<usize>,
    steps: Cell<usize>,
    open: Cell<usize>,
    stopped: Cell<bool>,
}

impl Used {
    fn step(&self, count: usize) {
        self.steps.set(self.steps.get().saturating_add(count));
    }

    fn exceeded(&self) -> Option<TooMuch> {
        if self.open.get() > MOST_OPEN {
            return Some(TooMuch::Depth);
        }
        if self.nodes.get() > MOST_NODES {
            return Some(TooMuch::Nodes);
        }
        if self.stopped.get() {
            return Some(TooMuch::Time);
        }
        (self.steps.get() > MOST_STEPS).then_some(TooMuch::Work)
    }
}

/// Stands before the parser, and lets nothing more in when a bound is reached.
struct Gate {
    builder: TreeBuilder<Held, Bounded>,
    used: Rc<Used>,
}

impl TokenSink for Gate {
    type Handle = Held;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Held> {
        self.used.step(1);
        self.used.stopped.set(self.used.stopped.get() || compute::should_stop());
        match self.used.exceeded() {
            Some(_) => TokenSinkResult::Continue,
            None => self.builder.process_token(token, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.used.exceeded().is_none() && self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// A node as the parser holds it. Its lists of what is open cannot be seen from outside, so every hold is counted.
#[derive(Debug)]
struct Held {
    node: Rc<Node>,
    used: Rc<Used>,
}

impl Held {
    fn new(node: Rc<Node>, used: &Rc<Used>) -> Held {
        used.open.set(used.open.get() + 1);
        Held { node, used: Rc::clone(used) }
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Held::new(Rc::clone(&self.node), &self.used)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.used.open.set(self.used.open.get() - 1);
    }
}

/// The tree, with its books.
struct Bounded {
    dom: RcDom,
    used: Rc<Used>,
}

impl Bounded {
    fn made(&self, node: Rc<Node>) -> Held {
        self.used.nodes.set(self.used.nodes.get() + 1);
        Held::new(node, &self.used)
    }

    /// A child for the tree. Text may become part of the text before it.
    fn child(&self, child: NodeOrText<Held>, before: Option<&Rc<Node>>) -> NodeOrText<Rc<Node>> {
        match child {
            NodeOrText::AppendNode(held) => NodeOrText::AppendNode(Rc::clone(&held.node)),
            NodeOrText::AppendText(text) => {
                let is_part = before.is_some_and(|node| matches!(node.data, NodeData::Text { .. }));
                self.used.nodes.set(self.used.nodes.get() + usize::from(!is_part));
                NodeOrText::AppendText(text)
            }
        }
    }

    /// Finding a node among its siblings looks at each of them.
    fn looks_among_siblings(&self, node: &Held) {
        let parent = node.node.parent.take();
        let siblings =
            parent.as_ref().and_then(std::rc::Weak::upgrade).map_or(0, |parent| parent.children.borrow().len());
        node.node.parent.set(parent);
        self.used.step(siblings);
    }
}

impl TreeSink for Bounded {
    type Handle = Held;
    type Output = Self;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Self {
        self
    }

    // A damaged page has as many of them as it likes.
    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Held {
        Held::new(self.dom.get_document(), &self.used)
    }

    fn elem_name<'a>(&'a self, target: &'a Held) -> ExpandedName<'a> {
        self.used.step(1);
        self.dom.elem_name(&target.node)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Held {
        self.used.step(attributes.len());
        self.made(self.dom.create_element(name, attributes, flags))
    }

    fn create_comment(&self, text: StrTendril) -> Held {
        self.made(self.dom.create_comment(text))
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Held {
        self.made(self.dom.create_pi(target, data))
    }

    fn append(&self, parent: &Held, child: NodeOrText<Held>) {
        let child = self.child(child, parent.node.children.borrow().last());
        self.dom.append(&parent.node, child);
    }

    fn append_before_sibling(&self, sibling: &Held, child: NodeOrText<Held>) {
        self.looks_among_siblings(sibling);
        if let NodeOrText::AppendNode(child) = &child {
            self.looks_among_siblings(child);
        }
        let child = self.child(child, None);
        self.dom.append_before_sibling(&sibling.node, child);
    }

    fn append_based_on_parent_node(&self, element: &Held, previous: &Held, child: NodeOrText<Held>) {
        let parent = element.node.parent.take();
        let has_parent = parent.is_some();
        element.node.parent.set(parent);
        if has_parent { self.append_before_sibling(element, child) } else { self.append(previous, child) }
    }

    fn append_doctype_to_document(&self, name: StrTendril, public_id: StrTendril, system_id: StrTendril) {
        self.dom.append_doctype_to_document(name, public_id, system_id);
    }

    fn get_template_contents(&self, target: &Held) -> Held {
        Held::new(self.dom.get_template_contents(&target.node), &self.used)
    }

    fn same_node(&self, x: &Held, y: &Held) -> bool {
        self.used.step(1);
        Rc::ptr_eq(&x.node, &y.node)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.dom.set_quirks_mode(mode);
    }

    fn add_attrs_if_missing(&self, target: &Held, attributes: Vec<Attribute>) {
        self.dom.add_attrs_if_missing(&target.node, attributes);
    }

    fn remove_from_parent(&self, target: &Held) {
        self.looks_among_siblings(target);
        self.dom.remove_from_parent(&target.node);
    }

    fn reparent_children(&self, node: &Held, new_parent: &Held) {
        self.used.step(node.node.children.borrow().len());
        self.dom.reparent_children(&node.node, &new_parent.node);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Held) -> bool {
        self.dom.is_mathml_annotation_xml_integration_point(&target.node)
    }
}

/// Whether the finished tree can be walked within bounds: repairs of damaged formatting may have made it deeper than
/// anything was while it was built, and quotes within quotes write their marks before each line again. Also puts
/// formatted words that stand side by side together, which the walk would do one after the other.
fn weigh(root: &Rc<Node>) -> Result<(), TooMuch> {
    let mut open = vec![(Rc::clone(root), 1, 0)];
    let mut copied = 0_usize;
    while let Some((node, depth, indent)) = open.pop() {
        if depth > MOST_DEPTH {
            return Err(TooMuch::Depth);
        }
        copied = copied.saturating_add((length(&node) + 8 * indent * lines(&node)) * depth);
        if copied > MOST_COPIED {
            return Err(TooMuch::Work);
        }
        join_alike(&node);
        let indent = indent + usize::from(indents(&node));
        open.extend(node.children.borrow().iter().map(|child| (Rc::clone(child), depth + 1, indent)));
    }
    Ok(())
}

fn length(node: &Node) -> usize {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().len() + 2,
        NodeData::Element { attrs, .. } => attrs.borrow().iter().map(|one| one.value.len()).sum::<usize>() + 8,
        _ => 0,
    }
}

/// How many lines it may begin.
fn lines(node: &Node) -> usize {
    match &node.data {
        NodeData::Text { contents } => 1 + contents.borrow().bytes().filter(|byte| *byte == b'\n').count(),
        _ => 2,
    }
}

/// The name of an element.
pub(super) fn name(node: &Node) -> Option<&str> {
    match &node.data {
        NodeData::Element { name, .. } => Some(&name.local),
        _ => None,
    }
}

fn indents(node: &Node) -> bool {
    matches!(name(node), Some("blockquote" | "li" | "pre"))
}

/// `<b>a</b><b>b</b>` is `<b>ab</b>`.
fn join_alike(node: &Node) {
    let mut children = node.children.borrow_mut();
    if children.len() < 2 {
        return;
    }
    let mut joined: Vec<Rc<Node>> = Vec::with_capacity(children.len());
    for child in children.drain(..) {
        let is_taken = joined.last().is_some_and(|before| are_alike(before, &child) && takes(before, &child));
        if !is_taken {
            joined.push(child);
        }
    }
    *children = joined;
}

/// Whether both are of one kind, within a line, with the same attributes. Links are not: each leads somewhere.
fn are_alike(one: &Node, other: &Node) -> bool {
    let kind = |node| match name(node)? {
        "b" | "strong" => Some("b"),
        "i" | "em" => Some("i"),
        kind => Some(kind).filter(|kind| *kind != "a" && !BLOCKS.contains(kind)),
    };
    match (&one.data, &other.data) {
        (NodeData::Element { attrs: ours, .. }, NodeData::Element { attrs: theirs, .. }) => {
            kind(one).is_some() && kind(one) == kind(other) && *ours.borrow() == *theirs.borrow()
        }
        _ => false,
    }
}

/// Takes over the only text of the other, if both have nothing else.
fn takes(one: &Node, other: &Node) -> bool {
    let (ours, theirs) = (one.children.borrow(), other.children.borrow());
    match (&ours[..], &theirs[..]) {
        ([own], [foreign]) => match (&own.data, &foreign.data) {
            (NodeData::Text { contents: own }, NodeData::Text { contents: foreign }) => {
                own.borrow_mut().push_tendril(&foreign.borrow());
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_in_each_other_only_so_deep() {
        // html, body and the document itself are levels, too.
        assert!(parse(&"<div>".repeat(MOST_DEPTH - 3)).is_ok());
        assert_eq!(parse(&"<div>".repeat(MOST_DEPTH)).err(), Some(TooMuch::Depth));
        assert_eq!(parse(&"<div>".repeat(MOST_OPEN + 1)).err(), Some(TooMuch::Depth));
    }

    #[test]
    fn formats_that_stay_open_are_counted() {
        let formats = |count| (0..count).map(|size| format!("<p><font class=\"{size}\">")).collect::<Vec<_>>().concat();
        assert!(parse(&formats(100)).is_ok());
        // Each paragraph opens all of them again.
        assert_eq!(parse(&formats(MOST_DEPTH)).err(), Some(TooMuch::Nodes));
    }

    #[test]
    fn a_page_has_a_number_of_nodes() {
        assert!(parse(&"a<br>".repeat(MOST_NODES / 2 - 3)).is_ok());
        assert_eq!(parse(&"a<br>".repeat(MOST_NODES / 2)).err(), Some(TooMuch::Nodes));
    }

    #[test]
    fn work_is_bounded_where_it_grows_faster_than_the_page() {
        // Text that has no place in a table is put before it, where all the earlier pieces are.
        let misplaced = "<table>".to_owned() + &"<b>a</b><i>".repeat(10_000);
        assert!(parse(&misplaced).is_err());
        let quotes = "<blockquote>".repeat(200) + &"a<br>".repeat(2_000);
        assert_eq!(parse(&quotes).err(), Some(TooMuch::Work));
    }

    #[test]
    fn no_more_than_the_bound_is_kept_or_looked_at() {
        for piece in [
            "<div>",
            "<b>",
            "<p><font>",
            "<table>",
            "<table><tr><td>",
            "<a href=\"x\"><p>",
            "<ul><li>",
            "<select><option>",
            "<svg><g>",
            "<template>",
            "<button><nobr>",
            "</p>",
            "</br>",
            "<dd><dt>",
        ] {
            let (_, used) = build(&piece.repeat(20_000));
            // One token may go beyond, by what is open.
            assert!(used.steps.get() <= MOST_STEPS + 8 * MOST_OPEN * MOST_OPEN, "{piece}: {used:?}");
            assert!(used.nodes.get() <= MOST_NODES + 2 * MOST_OPEN, "{piece}: {used:?}");
        }
    }

    #[test]
    fn steps_grow_with_the_page() {
        for piece in [
            "<p>a",
            "<b>a</b>",
            "<table><tr><td>a</table>",
            "<ul><li>a</ul>",
            "<a href=\"x\">b</a>",
            "a<br>",
            "<h1>a</h1>",
            "<p><b>a</p></b>",
        ] {
            let (once, twice) = (steps(&piece.repeat(1_000)), steps(&piece.repeat(2_000)));
            assert!(twice <= once * 5 / 2, "{piece}: {once} steps, {twice} for twice as much");
        }
    }

    #[test]
    fn words_of_one_format_become_one() {
        let root = parse("<p><b>a</b><strong>b</strong><i>c</i><b>d</b>").expect("it is small");
        let mut found = vec![Rc::clone(&root)];
        let mut bold = Vec::new();
        while let Some(node) = found.pop() {
            if name(&node) == Some("b") {
                bold.push(node.children.borrow().len());
            }
            found.extend(node.children.borrow().iter().cloned());
        }
        assert_eq!(bold, [1, 1]);
    }
}
