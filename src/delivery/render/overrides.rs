//! An operator's own templates, read at the start and rendered by minijinja.
//!
//! The compiled-in templates are loaded beside them: they stand in for what the operator left out,
//! and follow a layout that was replaced.

use std::borrow::Cow;
use std::path::Path;
use std::{fs, io};

use askama::filters::{Escaper, Html};
use minijinja::value::{Serde, Value};
use minijinja::{
    AutoEscape, Environment, Error, Output, State, UndefinedBehavior, context, escape_formatter,
};

use super::content::{BrandContent, Content};
use super::language::{is_tag, nearest};
use super::{
    Mail, RenderedMail, TemplateDirs, TemplateError, built_in, sample, text_message, variable,
};
use crate::domain::message::ChannelKind;

/// The file every HTML template extends.
const LAYOUT: &str = "layout.html";

/// The compiled-in templates, with the operator's in their place and beside them.
#[derive(Debug)]
pub(super) struct Overrides {
    templates: Environment<'static>,
    languages: Vec<String>,
}

impl Overrides {
    /// Reads the templates in `directories` and tries all with sample mails from `brand`.
    pub(super) fn read(
        directories: TemplateDirs<'_>,
        brand: &BrandContent,
    ) -> Result<Self, TemplateError> {
        let mut overrides = Self::built_in()?;
        if let Some(directory) = directories.mail {
            overrides.add_directory(ChannelKind::Email, directory)?;
        }
        if let Some(directory) = directories.sms {
            overrides.add_directory(ChannelKind::Sms, directory)?;
        }
        overrides.try_all(brand)?;
        // From here on the values are real, and debug information would copy them into errors.
        overrides.templates.set_debug(false);
        Ok(overrides)
    }

    /// The compiled-in templates alone.
    pub(super) fn built_in() -> Result<Self, TemplateError> {
        let mut overrides = Self {
            templates: Environment::new(),
            languages: Vec::from(built_in::Language::ALL.map(|language| language.tag().to_owned())),
        };
        overrides.templates.set_debug(true);
        overrides
            .templates
            .set_undefined_behavior(UndefinedBehavior::Strict);
        overrides.templates.set_path_join_callback(resolve);
        overrides.templates.set_formatter(escape);
        for (name, source) in built_in::sources() {
            overrides.compile(name.to_owned(), source.to_owned())?;
        }
        Ok(overrides)
    }

    /// Adds the templates of a channel, which replace those it has.
    fn add_directory(
        &mut self,
        channel: ChannelKind,
        directory: &Path,
    ) -> Result<(), TemplateError> {
        for name in visible_names(directory)? {
            let path = directory.join(&name);
            let is_layout = channel == ChannelKind::Email && name == LAYOUT;
            if path.is_dir() && is_tag(&name) {
                self.add_language(channel, &path, name)?;
            } else if path.is_file() && is_layout {
                self.add(&path, format!("{}/{name}", variable(channel)))?;
            } else {
                let language = "a language directory such as fr or pt-BR";
                let expected = match channel {
                    ChannelKind::Email => format!("{LAYOUT} or {language}"),
                    ChannelKind::Sms => language.to_owned(),
                };
                return Err(TemplateError::Unknown { path, expected });
            }
        }
        Ok(())
    }

    /// Adds the templates of a language, which replace those it has.
    fn add_language(
        &mut self,
        channel: ChannelKind,
        directory: &Path,
        language: String,
    ) -> Result<(), TemplateError> {
        let english = format!("{}/en/", variable(channel));
        let known: Vec<_> = built_in::sources()
            .filter_map(|(name, _)| name.strip_prefix(&english))
            .collect();
        let templates = format!("{}/{language}", variable(channel));
        let files = visible_names(directory)?;
        for file in &files {
            let path = directory.join(file);
            if !known.contains(&file.as_str()) {
                let expected = known.join(", ");
                return Err(TemplateError::Unknown { path, expected });
            }
            self.add(&path, format!("{templates}/{file}"))?;
        }
        for file in files.iter().filter(|_| channel == ChannelKind::Email) {
            let missing = format!("{templates}/{}", other_part(file));
            if !self.has(&missing) {
                let file = format!("{templates}/{file}");
                return Err(TemplateError::Unpaired { file, missing });
            }
        }
        if !self.languages.contains(&language) {
            self.languages.push(language);
        }
        Ok(())
    }

    /// Adds one file under `name`.
    fn add(&mut self, path: &Path, name: String) -> Result<(), TemplateError> {
        let source = fs::read_to_string(path).map_err(|cause| unreadable(path, cause))?;
        self.compile(name, source.replace("\r\n", "\n"))
    }

    fn compile(&mut self, name: String, source: String) -> Result<(), TemplateError> {
        self.templates
            .add_template_owned(name, source)
            .map_err(|error| broken(&error, explained))
    }

    fn has(&self, name: &str) -> bool {
        self.templates.get_template(name).is_ok()
    }

    /// Renders every sample in every language that has it, as a mail and as a text message.
    fn try_all(&self, brand: &BrandContent) -> Result<(), TemplateError> {
        for language in &self.languages {
            for mail in sample::mails() {
                if self.speaks(ChannelKind::Email, language, &mail) {
                    let rendered = self.render_in(language, brand, &mail, explained)?;
                    // The `escape` filter, if a template asks for it, escapes slashes as well.
                    let html = rendered.html.replace("&#x2f;", "/");
                    let parts = [(&*rendered.text, "txt"), (&*html, "html")];
                    shown(ChannelKind::Email, language, &mail, &parts)?;
                }
                if self.speaks(ChannelKind::Sms, language, &mail) {
                    let text = self.render_sms_in(language, brand, &mail, explained)?;
                    shown(ChannelKind::Sms, language, &mail, &[(&*text, "txt")])?;
                }
            }
        }
        Ok(())
    }

    /// Whether there are templates for `mail` in this language.
    fn speaks(&self, channel: ChannelKind, language: &str, mail: &Mail<'_>) -> bool {
        self.has(&format!("{}.txt", mail.template(channel, language)))
    }

    /// The language nearest to `locale` that has templates for `mail`, English when none is near.
    fn nearest_to(&self, locale: &str, channel: ChannelKind, mail: &Mail<'_>) -> &str {
        let available: Vec<_> = self
            .languages
            .iter()
            .filter(|language| self.speaks(channel, language, mail))
            .collect();
        nearest(locale, &available).map_or("en", |language| language.as_str())
    }

    /// Renders `mail` as a mail, in the language nearest to `locale`.
    pub(super) fn render(
        &self,
        brand: &BrandContent,
        locale: &str,
        mail: &Mail<'_>,
    ) -> Result<RenderedMail, TemplateError> {
        let language = self.nearest_to(locale, ChannelKind::Email, mail);
        self.render_in(language, brand, mail, unexplained)
    }

    /// Renders `mail` as a text message, in the language nearest to `locale`.
    pub(super) fn render_sms(
        &self,
        brand: &BrandContent,
        locale: &str,
        mail: &Mail<'_>,
    ) -> Result<String, TemplateError> {
        let language = self.nearest_to(locale, ChannelKind::Sms, mail);
        self.render_sms_in(language, brand, mail, unexplained)
    }

    fn render_in(
        &self,
        language: &str,
        brand: &BrandContent,
        mail: &Mail<'_>,
        problem: fn(&Error) -> String,
    ) -> Result<RenderedMail, TemplateError> {
        let template = mail.template(ChannelKind::Email, language);
        let values = context! {
            brand => Serde(brand),
            mail => Serde(Content::new(language, mail)),
        };
        let part = |extension: &str| self.part(&template, extension, &values, problem);
        RenderedMail::from_parts(&template, &part("txt")?, part("html")?)
    }

    fn render_sms_in(
        &self,
        language: &str,
        brand: &BrandContent,
        mail: &Mail<'_>,
        problem: fn(&Error) -> String,
    ) -> Result<String, TemplateError> {
        let template = mail.template(ChannelKind::Sms, language);
        let values = context! {
            brand => Serde(brand),
            sms => Serde(Content::new(language, mail)),
        };
        text_message(&template, &self.part(&template, "txt", &values, problem)?)
    }

    fn part(
        &self,
        template: &str,
        extension: &str,
        values: &Value,
        problem: fn(&Error) -> String,
    ) -> Result<String, TemplateError> {
        self.templates
            .get_template(&format!("{template}.{extension}"))
            .and_then(|template| template.render(values))
            .map_err(|error| broken(&error, problem))
    }
}

/// Refuses a message of which some part does not show what it is sent for.
fn shown(
    channel: ChannelKind,
    language: &str,
    mail: &Mail<'_>,
    parts: &[(&str, &str)],
) -> Result<(), TemplateError> {
    let Some((name, value)) = mail.essential() else {
        return Ok(());
    };
    match parts.iter().find(|(part, _)| !part.contains(value)) {
        None => Ok(()),
        Some((_, extension)) => Err(TemplateError::NotShown {
            file: format!("{}.{extension}", mail.template(channel, language)),
            variable: format!("{}.{name}", variable(channel)),
        }),
    }
}

/// The names in `directory` in order, without those that begin with a dot.
fn visible_names(directory: &Path) -> Result<Vec<String>, TemplateError> {
    let names: io::Result<Vec<_>> = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    let mut names: Vec<_> = names
        .map_err(|cause| unreadable(directory, cause))?
        .into_iter()
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    Ok(names)
}

/// The file with the other part of the same mail.
fn other_part(file: &str) -> String {
    match file.strip_suffix(".txt") {
        Some(stem) => format!("{stem}.html"),
        None => file.replace(".html", ".txt"),
    }
}

/// What `name` means in the template `parent`: a path relative to it, as in the compiled-in ones.
fn resolve<'a>(name: &'a str, parent: &'a str) -> Cow<'a, str> {
    let mut segments: Vec<_> = parent.split('/').collect();
    segments.pop();
    for segment in name.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/").into()
}

/// Escapes as the compiled-in templates do, so that both engines agree to the byte.
fn escape(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if *state.auto_escape() == AutoEscape::Html && !value.is_safe() {
        Ok(Html.write_escaped_str(out, &value.to_string())?)
    } else {
        escape_formatter(out, state, value)
    }
}

fn unreadable(path: &Path, cause: io::Error) -> TemplateError {
    let path = path.to_owned();
    TemplateError::Unreadable { path, cause }
}

/// Where the innermost cause of `error` is, and what `problem` makes of it.
fn broken(error: &Error, problem: fn(&Error) -> String) -> TemplateError {
    let mut cause = error;
    while let Some(inner) =
        std::error::Error::source(cause).and_then(<dyn std::error::Error>::downcast_ref)
    {
        cause = inner;
    }
    TemplateError::Broken {
        file: cause.name().unwrap_or_default().to_owned(),
        line: cause.line().unwrap_or_default(),
        problem: problem(cause),
    }
}

/// What is wrong in the engine's words, which may quote values.
fn explained(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// What is wrong without the engine's explanation, which may quote a value: those of a real message
/// hold live links.
fn unexplained(error: &Error) -> String {
    error.kind().to_string()
}

#[cfg(test)]
mod tests;
