//! A source file as the rules see it: which names it writes, on which lines, and how long its production code is.
//!
//! Items under `#[cfg(test)]` are left out: tests may reach where the code they test may not.

use super::tokens::{Group, Kind, Token, tokens};

/// One file of `src`.
pub(super) struct Source<'a> {
    /// Relative to the repository, with `/`.
    pub(super) path: &'a str,
    /// Where it stands in the crate: `src/store/sqlite/mod.rs` is `store`, `sqlite`; `src/lib.rs` is empty.
    pub(super) module: Vec<String>,
    /// In the order they are written.
    pub(super) names: Vec<Name>,
    /// Modules declared as `#[cfg(test)] mod name;`, whose files are tests throughout.
    pub(super) test_modules: Vec<Vec<String>>,
    /// Lines of the file that belong to no test.
    pub(super) production_lines: usize,
}

/// A name as written, `a::b::c` or just `a`, keywords included. Groups are unfolded, so that `use a::{b, c}` is `a::b` and
/// `a::c`. What begins with `self` or `super` is told from `crate`.
pub(super) struct Name {
    pub(super) segments: Vec<String>,
    /// What it is given, if it is called as a macro.
    pub(super) arguments: Option<Vec<Token>>,
    /// Counted from 1.
    pub(super) line: usize,
}

impl Name {
    /// The segments as written in Rust.
    pub(super) fn text(&self) -> String {
        self.segments.join("::")
    }

    /// What a path begins with. None for a lone word, which may be a variable.
    pub(super) fn root(&self) -> Option<&str> {
        (self.segments.len() > 1).then(|| self.segments[0].as_str())
    }

    pub(super) fn has(&self, segment: &str) -> bool {
        self.segments.iter().any(|found| found == segment)
    }

    pub(super) fn ends_with(&self, segments: &[&str]) -> bool {
        self.segments.len() >= segments.len()
            && self
                .segments
                .iter()
                .rev()
                .zip(segments.iter().rev())
                .all(|(found, segment)| found == segment)
    }

    /// The module path behind `crate::`, for a name that begins there and goes on.
    pub(super) fn in_crate(&self) -> Option<&[String]> {
        match self.segments.split_first() {
            Some((first, rest)) if first == "crate" && !rest.is_empty() => Some(rest),
            _ => None,
        }
    }
}

impl<'a> Source<'a> {
    /// Reads `text`, the content of `path`; an error is a text that is not Rust.
    pub(super) fn read(path: &'a str, text: &str) -> Result<Self, String> {
        let tokens = tokens(text).map_err(|error| format!("{path}: {error}"))?;
        let module = module_of(path);
        let mut source = Self {
            path,
            module: module.clone(),
            names: Vec::new(),
            test_modules: Vec::new(),
            production_lines: text.lines().count(),
        };
        source.walk(&tokens, &module);
        Ok(source)
    }

    fn walk(&mut self, tokens: &[Token], module: &[String]) {
        let mut rest = tokens;
        while let [first, after @ ..] = rest {
            rest = match &first.kind {
                Kind::Mark(_) if is_cfg_test(rest) => self.skip_item(rest, module),
                Kind::Word(word) if word == "mod" => self.walk_module(after, module),
                Kind::Word(_) => self.read_name(rest, Vec::new(), module),
                Kind::Group(group) => {
                    self.walk(&group.tokens, module);
                    after
                }
                Kind::Mark(_) | Kind::Literal(_) => after,
            };
        }
    }

    /// `tokens` follow the word `mod`.
    fn walk_module<'t>(&mut self, tokens: &'t [Token], module: &[String]) -> &'t [Token] {
        match tokens {
            [name, body, after @ ..]
                if let Some(name) = name.word()
                    && let Some(body) = body.braces() =>
            {
                self.walk(&body.tokens, &child(module, name));
                after
            }
            _ => tokens,
        }
    }

    /// Passes over the item whose first attribute is `#[cfg(test)]`.
    fn skip_item<'t>(&mut self, tokens: &'t [Token], module: &[String]) -> &'t [Token] {
        let mut item = tokens;
        while let [hash, _, after @ ..] = item
            && hash.is_mark('#')
        {
            item = after;
        }
        let Some(last) = end_of_item(item) else {
            return item;
        };
        if let [.., keyword, name] = &item[..last]
            && keyword.word() == Some("mod")
            && let Some(name) = name.word()
        {
            self.test_modules.push(child(module, name));
        }
        let lines = item[last].last_line() - tokens[0].line + 1;
        self.production_lines = self.production_lines.saturating_sub(lines);
        &item[last + 1..]
    }

    /// Reads the name that `tokens` begin with, or what of it follows `prefix` and `::`.
    fn read_name<'t>(
        &mut self,
        tokens: &'t [Token],
        prefix: Vec<String>,
        module: &[String],
    ) -> &'t [Token] {
        let mut segments = prefix;
        let mut rest = tokens;
        while let [first, after @ ..] = rest {
            match &first.kind {
                Kind::Word(word) => segments.push(word.clone()),
                Kind::Mark('*') => segments.push("*".to_owned()),
                Kind::Group(group) if group.open == '{' => {
                    let names = group.tokens.split(|token| token.is_mark(','));
                    for name in names.filter(|name| !name.is_empty()) {
                        self.read_name(name, segments.clone(), module);
                    }
                    return after;
                }
                _ => break,
            }
            rest = after;
            match rest {
                [first, second, after @ ..]
                    if first.is_mark(':') && second.is_mark(':') && goes_on(after) =>
                {
                    rest = after;
                }
                _ => break,
            }
        }
        let arguments = match rest {
            [mark, body, ..] if mark.is_mark('!') => body.group().map(|body| body.tokens.clone()),
            _ => None,
        };
        self.names.push(Name {
            segments: absolute(segments, module),
            arguments,
            line: tokens[0].line,
        });
        rest
    }
}

/// Whether `segments` begin with those of `path`, which is written with `::`.
pub(super) fn lead_through(segments: &[String], path: &str) -> bool {
    let mut segments = segments.iter();
    path.split("::")
        .all(|segment| segments.next().is_some_and(|found| found == segment))
}

/// `src/store/sqlite/mod.rs` is `store`, `sqlite`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Vec<_> = path.split('/').map(str::to_owned).collect();
    module.pop_if(|name| name == "mod");
    if matches!(module.as_slice(), [root] if root == "lib" || root == "main") {
        module.clear();
    }
    module
}

fn child(module: &[String], name: &str) -> Vec<String> {
    let mut module = module.to_vec();
    module.push(name.to_owned());
    module
}

fn is_cfg_test(tokens: &[Token]) -> bool {
    let is_test =
        |inner: &Group| matches!(inner.tokens.as_slice(), [test] if test.word() == Some("test"));
    let is_cfg = |inner: &Group| {
        matches!(inner.tokens.as_slice(), [cfg, condition]
            if cfg.word() == Some("cfg") && condition.group().is_some_and(is_test))
    };
    matches!(tokens, [hash, attribute, ..] if hash.is_mark('#') && attribute.group().is_some_and(is_cfg))
}

/// Whether a name goes on with `tokens`, which follow a `::`. A `<` does not: it brings arguments.
fn goes_on(tokens: &[Token]) -> bool {
    tokens.first().is_some_and(|token| {
        token.word().is_some() || token.is_mark('*') || token.braces().is_some()
    })
}

/// The position of the `;` or of the body in braces that closes the item `tokens` begin with. None for what is not an item,
/// such as a field.
fn end_of_item(tokens: &[Token]) -> Option<usize> {
    let is_semicolon = |token: &Token| token.is_mark(';');
    let end = tokens
        .iter()
        .position(|token| is_semicolon(token) || token.braces().is_some())?;
    let says = |words: &[&str]| {
        tokens[..end]
            .iter()
            .filter_map(Token::word)
            .any(|word| words.contains(&word))
    };
    if says(&["use", "const", "static", "type"])
        && !says(&["fn", "impl", "mod", "struct", "enum", "trait"])
    {
        tokens.iter().position(is_semicolon)
    } else {
        Some(end)
    }
}

/// Told from `crate`, where the name is relative. The binary calls the library by its name.
fn absolute(mut segments: Vec<String>, module: &[String]) -> Vec<String> {
    if segments.len() > 1 {
        // `use a::{self}` is `a`.
        segments.pop_if(|last| last == "self");
    }
    let is_relative = |segment: &&String| *segment == "self" || *segment == "super";
    let relative = segments.iter().take_while(is_relative).count();
    let from = match segments.first().map(String::as_str) {
        Some("relatch") => &[],
        Some("self" | "super") if relative < segments.len() => {
            let up = segments[..relative]
                .iter()
                .filter(|segment| *segment == "super")
                .count();
            &module[..module.len().saturating_sub(up)]
        }
        _ => return segments,
    };
    let rest = segments.split_off(relative.max(1));
    std::iter::once("crate".to_owned())
        .chain(from.iter().cloned())
        .chain(rest)
        .collect()
}
