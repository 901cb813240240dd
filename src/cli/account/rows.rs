//! Lines as accounts, and accounts as lines: JSON Lines and CSV.

use crate::pb::{Account, ExportAccountsResponse, ImportRow, PasswordHash, SecondFactor};
use clap::ValueEnum;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How a file of accounts is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A JSON object a line
    Jsonl,
    /// A first line that names the columns, then a line for each account
    Csv,
}

impl Format {
    /// The format that a file of this name has.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// The columns of CSV, in the order in which they are written.
const COLUMNS: [&str; 11] = [
    "account_id",
    "email",
    "email_verified",
    "phone",
    "phone_verified",
    "second_factor",
    "locale",
    "display_name",
    "disabled",
    "password_format",
    "password_hash",
];

/// An account as a line has it. What is missing or null is empty.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Row {
    account_id: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
    phone: Option<String>,
    phone_verified: Option<bool>,
    second_factor: Option<String>,
    locale: Option<String>,
    display_name: Option<String>,
    disabled: Option<bool>,
    password_hash: Option<Hash>,
    // What an export tells besides is for people to read.
    #[serde(rename = "has_password")]
    _has_password: IgnoredAny,
    #[serde(rename = "password_changed_at")]
    _password_changed_at: IgnoredAny,
    #[serde(rename = "credential_version")]
    _credential_version: IgnoredAny,
    #[serde(rename = "created_at")]
    _created_at: IgnoredAny,
}

/// A hash that says itself what it is, or one with the name of its format.
#[derive(Deserialize)]
#[serde(untagged)]
enum Hash {
    Bare(String),
    Named { format: String, encoded: Encoded },
}

/// The hashes of Keycloak and Firebase are JSON, and may stand in the line as such.
#[derive(Deserialize)]
#[serde(untagged)]
enum Encoded {
    Text(String),
    Json(serde_json::Map<String, serde_json::Value>),
}

/// Reads lines of one format.
pub(super) enum Reader {
    /// JSON Lines.
    Jsonl,
    /// CSV, once its first line has named the columns.
    Csv(Option<Vec<&'static str>>),
}

impl Reader {
    /// Reads lines of this format, from the first one on.
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl,
            Format::Csv => Self::Csv(None),
        }
    }

    /// The account that a line holds; `None` of the line that names the columns.
    ///
    /// What is wrong is told without what stands in the line: it may be a hash.
    pub(super) fn read(&mut self, line: &str) -> Result<Option<Read>, String> {
        let row = match self {
            Self::Jsonl => of_json(line)?,
            Self::Csv(Some(columns)) => of_csv(columns, line)?,
            Self::Csv(columns) => {
                *columns = Some(columns_of(line)?);
                return Ok(None);
            }
        };
        Ok(Some(row.read()?))
    }

    /// Whether lines can be read at all: without its columns no line of CSV can.
    pub(super) const fn has_begun(&self) -> bool {
        !matches!(self, Self::Csv(None))
    }
}

/// An account and its hash, as the service takes them.
pub(super) struct Read {
    account: Account,
    password_hash: Option<PasswordHash>,
}

impl Read {
    /// Puts EMAIL in the place of a second factor that cannot come along, and says whether there was one: the secret of
    /// an authenticator app is exported nowhere, and nothing is sent to a phone that is not verified.
    pub(super) fn fall_back_to_email(&mut self) -> bool {
        let stays = match self.account.second_factor() {
            SecondFactor::Unspecified | SecondFactor::Email => true,
            SecondFactor::Sms => self.account.phone_verified && !self.account.phone.is_empty(),
            SecondFactor::Totp => false,
        };
        if !stays {
            self.account.set_second_factor(SecondFactor::Email);
        }
        !stays
    }

    /// The row of this line.
    pub(super) fn on(self, line: i64) -> ImportRow {
        ImportRow {
            line,
            account: Some(self.account),
            password_hash: self.password_hash,
        }
    }
}

impl Row {
    fn read(self) -> Result<Read, String> {
        let second_factor = match self.second_factor.as_deref() {
            None | Some("") => SecondFactor::Unspecified,
            Some(name) => SecondFactor::from_str_name(&format!("SECOND_FACTOR_{name}"))
                .ok_or("second_factor must be EMAIL or SMS")?,
        };
        let password_hash = self.password_hash.map(|hash| match hash {
            Hash::Bare(encoded) => PasswordHash {
                format: String::new(),
                encoded,
            },
            Hash::Named { format, encoded } => PasswordHash {
                format,
                encoded: match encoded {
                    Encoded::Text(text) => text,
                    Encoded::Json(json) => serde_json::Value::Object(json).to_string(),
                },
            },
        });
        Ok(Read {
            account: Account {
                account_id: self.account_id.unwrap_or_default(),
                email: self.email.unwrap_or_default(),
                email_verified: self.email_verified.unwrap_or_default(),
                phone: self.phone.unwrap_or_default(),
                phone_verified: self.phone_verified.unwrap_or_default(),
                second_factor: second_factor.into(),
                locale: self.locale.unwrap_or_default(),
                display_name: self.display_name.unwrap_or_default(),
                disabled: self.disabled.unwrap_or_default(),
                ..Account::default()
            },
            password_hash,
        })
    }
}

fn of_json(line: &str) -> Result<Row, String> {
    // An array would be read as an object without the names.
    if !line.trim_start().starts_with('{') {
        return Err("is no JSON object".to_owned());
    }
    serde_json::from_str(line).map_err(|why| {
        let told = why.to_string();
        if told.starts_with("unknown field") {
            told
        } else {
            format!(
                "is no JSON object with the fields of an account, at column {}",
                why.column()
            )
        }
    })
}

/// The fields of a line of CSV. Each line is read by itself, so that a quotation mark too many spoils no other.
fn fields_of(line: &str) -> Result<csv::StringRecord, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .buffer_capacity(line.len() + 1)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Ok(record),
        Ok(false) | Err(_) => Err("is no line of CSV".to_owned()),
    }
}

fn columns_of(line: &str) -> Result<Vec<&'static str>, String> {
    let mut columns: Vec<&'static str> = Vec::new();
    for name in &fields_of(line)? {
        let known = COLUMNS.iter().find(|column| **column == name.trim());
        let column = *known.ok_or_else(|| format!("unknown column `{}`", name.escape_debug()))?;
        if columns.contains(&column) {
            return Err(format!("the column `{column}` is named twice"));
        }
        columns.push(column);
    }
    if columns.contains(&"email") {
        Ok(columns)
    } else {
        Err("there is no column `email`".to_owned())
    }
}

fn of_csv(columns: &[&'static str], line: &str) -> Result<Row, String> {
    let fields = fields_of(line)?;
    if fields.len() != columns.len() {
        return Err(format!(
            "has {} fields, and the first line names {} columns",
            fields.len(),
            columns.len()
        ));
    }
    let field = |name| {
        let place = columns.iter().position(|column| *column == name)?;
        fields.get(place).map(ToOwned::to_owned)
    };
    let flag = |name| match field(name).as_deref() {
        None | Some("" | "false") => Ok(Some(false)),
        Some("true") => Ok(Some(true)),
        Some(_) => Err(format!("{name} must be true or false")),
    };
    let encoded = field("password_hash").filter(|encoded| !encoded.is_empty());
    Ok(Row {
        account_id: field("account_id"),
        email: field("email"),
        email_verified: flag("email_verified")?,
        phone: field("phone"),
        phone_verified: flag("phone_verified")?,
        second_factor: field("second_factor"),
        locale: field("locale"),
        display_name: field("display_name"),
        disabled: flag("disabled")?,
        password_hash: encoded.map(|encoded| Hash::Named {
            format: field("password_format").unwrap_or_default(),
            encoded: Encoded::Text(encoded),
        }),
        ..Row::default()
    })
}

/// An account as an export has it.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of a line")]
struct Told<'a> {
    account_id: &'a str,
    email: &'a str,
    email_verified: bool,
    phone: &'a str,
    phone_verified: bool,
    second_factor: &'a str,
    locale: &'a str,
    display_name: &'a str,
    disabled: bool,
    has_password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_changed_at: Option<String>,
    credential_version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<ToldHash<'a>>,
}

#[derive(Serialize)]
struct ToldHash<'a> {
    format: &'a str,
    encoded: &'a str,
}

/// The line that stands before all accounts, if the format has one.
pub(super) fn head(format: Format) -> Option<String> {
    match format {
        Format::Jsonl => None,
        Format::Csv => Some(COLUMNS.join(",")),
    }
}

/// An account as a line that can be imported again.
pub(super) fn line(format: Format, exported: &ExportAccountsResponse) -> String {
    let account = exported.account.clone().unwrap_or_default();
    let hash = exported.password_hash.as_ref();
    let factor = account.second_factor().as_str_name();
    let second_factor = factor.strip_prefix("SECOND_FACTOR_").unwrap_or(factor);
    let flag = |flag| if flag { "true" } else { "false" };
    match format {
        Format::Jsonl => {
            let time = |time: Option<prost_types::Timestamp>| time.map(|time| time.to_string());
            let told = Told {
                account_id: &account.account_id,
                email: &account.email,
                email_verified: account.email_verified,
                phone: &account.phone,
                phone_verified: account.phone_verified,
                second_factor,
                locale: &account.locale,
                display_name: &account.display_name,
                disabled: account.disabled,
                has_password: account.has_password,
                password_changed_at: time(account.password_changed_at),
                credential_version: account.credential_version,
                created_at: time(account.created_at),
                password_hash: hash.map(|hash| ToldHash {
                    format: &hash.format,
                    encoded: &hash.encoded,
                }),
            };
            serde_json::to_string(&told).unwrap_or_default()
        }
        Format::Csv => csv_line(&[
            &account.account_id,
            &account.email,
            flag(account.email_verified),
            &account.phone,
            flag(account.phone_verified),
            second_factor,
            &account.locale,
            &account.display_name,
            flag(account.disabled),
            hash.map_or("", |hash| &hash.format),
            hash.map_or("", |hash| &hash.encoded),
        ]),
    }
}

fn csv_line(fields: &[&str; COLUMNS.len()]) -> String {
    let quoted = fields.map(|field| {
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    });
    quoted.join(",")
}

#[cfg(test)]
mod tests;
