//! What the model is, as its model manifest says, against what the rule allows.
//!
//! The manifest was written by whoever packed the model: signatures say whether to believe it.

use super::{Check, CheckId, Code};
use crate::model::{File, Graph, ModelManifest, Role};
use crate::trust::policy::{ModelRule, Pattern};

/// How many things that are not allowed are named in a message; the evidence has more.
const NAMED: usize = 5;
/// How many are listed as evidence.
const LISTED: usize = 100;
/// The domain that ONNX writes as nothing.
const STANDARD_DOMAIN: &str = "ai.onnx";

/// The checks of everything that the rule can limit.
pub(super) fn checks(rule: &ModelRule, model: &ModelManifest) -> Vec<Check> {
    vec![
        licenses(rule, model),
        format(rule, model),
        operators(rule, model),
        opsets(rule, model),
        size(rule, model),
    ]
}

/// The same where there is no model to look at.
pub(super) fn unknown(rule: &ModelRule) -> Vec<Check> {
    let asked = [
        (CheckId::Licenses, rule.licenses.is_some()),
        (CheckId::Format, rule.formats.is_some()),
        (CheckId::Operators, limits_operators(rule)),
        (CheckId::Opsets, rule.opsets.is_some()),
        (CheckId::Size, limits_size(rule)),
    ];
    let check = |(id, asked)| match asked {
        true => Check::new(id, Code::Unchecked, "there is no valid model manifest"),
        false => Check::not_asked(id),
    };
    asked.into_iter().map(check).collect()
}

fn limits_operators(rule: &ModelRule) -> bool {
    rule.operators.is_some() || !rule.forbidden_operators.is_empty()
}

fn limits_size(rule: &ModelRule) -> bool {
    rule.max_size.is_some() || rule.max_file_size.is_some()
}

fn licenses(rule: &ModelRule, model: &ModelManifest) -> Check {
    let id = CheckId::Licenses;
    let Some(allowed) = &rule.licenses else {
        return Check::not_asked(id);
    };
    let refused = model
        .licenses
        .iter()
        .filter(|license| !allowed.contains(license));
    let refused: Vec<&str> = refused.map(String::as_str).collect();
    let check = match (model.licenses.is_empty(), refused.is_empty()) {
        (true, _) => Check::new(id, Code::Missing, "the model names no licence"),
        (false, true) => Check::new(id, Code::Verified, model.licenses.join(", ")),
        (false, false) => not_allowed(id, "licence", &refused),
    };
    check
        .with("licenses", &model.licenses)
        .with("allowed", allowed)
}

fn format(rule: &ModelRule, model: &ModelManifest) -> Check {
    let id = CheckId::Format;
    let Some(allowed) = &rule.formats else {
        return Check::not_asked(id);
    };
    let check = match allowed.contains(&model.format) {
        true => Check::new(id, Code::Verified, &model.format),
        false => not_allowed(id, "format", &[&model.format]),
    };
    check.with("format", &model.format).with("allowed", allowed)
}

fn operators(rule: &ModelRule, model: &ModelManifest) -> Check {
    let id = CheckId::Operators;
    if !limits_operators(rule) {
        return Check::not_asked(id);
    }
    if let Some(check) = undescribed(id, model) {
        return check;
    }
    let used = each(model, |graph| {
        let operators = graph.operators.iter();
        operators
            .map(|it| format!("{}:{}", domain(&it.domain), it.op_type))
            .collect()
    });
    let fits = |patterns: &[Pattern], name: &str| patterns.iter().any(|it| it.matches(name));
    let allowed = |name: &str| {
        !fits(&rule.forbidden_operators, name)
            && rule
                .operators
                .as_ref()
                .is_none_or(|allowed| fits(allowed, name))
    };
    limited(id, "operator", &used, allowed)
}

fn opsets(rule: &ModelRule, model: &ModelManifest) -> Check {
    let id = CheckId::Opsets;
    let Some(allowed) = &rule.opsets else {
        return Check::not_asked(id);
    };
    if let Some(check) = undescribed(id, model) {
        return check;
    }
    let imported = each(model, |graph| {
        let opsets = graph.opsets.iter();
        opsets
            .map(|it| format!("{} {}", domain(&it.domain), it.version))
            .collect()
    });
    let within = |name: &str| {
        let (domain, version) = name.rsplit_once(' ').unwrap_or_default();
        let range = allowed.get(domain);
        let version: Option<i64> = version.parse().ok();
        range
            .zip(version)
            .is_some_and(|(range, version)| (range.min..=range.max).contains(&version))
    };
    limited(id, "opset", &imported, within)
}

fn size(rule: &ModelRule, model: &ModelManifest) -> Check {
    let id = CheckId::Size;
    if !limits_size(rule) {
        return Check::not_asked(id);
    }
    let total = model.total_size();
    let largest = model.files.iter().max_by_key(|file| file.size);
    let largest_size = largest.map_or(0, |file| file.size);
    let over = |limit: Option<u64>, size: u64| limit.filter(|limit| size > *limit);
    let check = if let Some(limit) = over(rule.max_size, total) {
        Check::new(
            id,
            Code::NotAllowed,
            format!("{total} bytes, and {limit} are allowed"),
        )
    } else if let (Some(limit), Some(file)) = (over(rule.max_file_size, largest_size), largest) {
        let path = &file.path;
        let message =
            format!("`{path}` has {largest_size} bytes, and {limit} are allowed for a file");
        Check::new(id, Code::NotAllowed, message)
    } else {
        let files = model.files.len();
        Check::new(
            id,
            Code::Verified,
            match files {
                1 => format!("{total} bytes in 1 file"),
                _ => format!("{total} bytes in {files} files"),
            },
        )
    };
    check
        .with("bytes", total)
        .with("largestFile", largest_size)
        .with("maxSize", rule.max_size)
        .with("maxFileSize", rule.max_file_size)
}

/// A check that cannot be decided: a file is a graph, and nothing says what is in it.
fn undescribed(id: CheckId, model: &ModelManifest) -> Option<Check> {
    let described = |file: &&File| model.graphs.iter().any(|graph| graph.path == file.path);
    let graphs = model.files.iter().filter(|file| file.role == Role::Graph);
    let unknown: Vec<&str> = graphs
        .filter(|file| !described(file))
        .map(|file| file.path.as_str())
        .collect();
    let message = match (unknown.as_slice(), model.graphs.is_empty()) {
        ([], false) => return None,
        ([], true) => "the model manifest describes no graph".to_owned(),
        (paths, _) => format!("the model manifest does not describe {}", named(paths)),
    };
    Some(Check::new(id, Code::Unchecked, message))
}

/// What all graphs have together, sorted, each once.
fn each(model: &ModelManifest, of: impl Fn(&Graph) -> Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = model.graphs.iter().flat_map(of).collect();
    all.sort();
    all.dedup();
    all
}

fn limited(id: CheckId, noun: &str, used: &[String], allowed: impl Fn(&str) -> bool) -> Check {
    let used: Vec<&str> = used.iter().map(String::as_str).collect();
    let refused: Vec<&str> = used.iter().copied().filter(|name| !allowed(name)).collect();
    let check = match refused.is_empty() {
        true => Check::new(id, Code::Verified, listed(&used)),
        false => not_allowed(id, noun, &refused),
    };
    let shown = &used[..used.len().min(LISTED)];
    check.with("used", shown).with("count", used.len())
}

fn not_allowed(id: CheckId, noun: &str, refused: &[&str]) -> Check {
    let message = format!("{noun} {} not allowed", named(refused));
    let shown = &refused[..refused.len().min(LISTED)];
    Check::new(id, Code::NotAllowed, message).with("refused", shown)
}

fn named(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
    listed(&quoted)
}

/// The first names, and how many more there are.
fn listed(names: &[&str]) -> String {
    let first = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn domain(domain: &str) -> &str {
    if domain.is_empty() {
        STANDARD_DOMAIN
    } else {
        domain
    }
}
