//! Keycloak's credentials: JSON within JSON.

use std::collections::HashMap;

use serde::Deserialize;

use super::encoding::{number, padded};
use super::pbkdf2::{Digest, ForeignPbkdf2};
use super::{ForeignArgon2, Made, Variant, Version};

/// A credential of type `password` as in a realm's export; what else stands in it is not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    r#type: String,
    secret_data: String,
    credential_data: String,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
    salt: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialData {
    hash_iterations: u32,
    algorithm: String,
    #[serde(default)]
    additional_parameters: HashMap<String, Vec<String>>,
}

impl CredentialData {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.additional_parameters
            .get(name)?
            .first()
            .map(String::as_str)
    }
}

/// Reads a credential whose algorithm is `pbkdf2`, with a digest or without, or `argon2`.
pub(super) fn credential(encoded: &str) -> Option<Made> {
    let exported: Exported = serde_json::from_str(encoded).ok()?;
    let secret: SecretData = serde_json::from_str(&exported.secret_data).ok()?;
    let data: CredentialData = serde_json::from_str(&exported.credential_data).ok()?;
    if exported.r#type != "password" {
        return None;
    }
    let (salt, tag) = (padded(&secret.salt)?, padded(&secret.value)?);
    if data.algorithm != "argon2" {
        let digest = Digest::of_pbkdf2(&data.algorithm)?;
        let hash = ForeignPbkdf2::new(digest, data.hash_iterations, salt, tag);
        return Some(Made::Pbkdf2(hash));
    }
    Some(Made::Argon2(ForeignArgon2 {
        variant: Variant::named(&format!("argon2{}", data.parameter("type")?))?,
        version: match data.parameter("version")? {
            "1.0" => Version::V16,
            "1.3" => Version::V19,
            _ => return None,
        },
        memory_kib: number(data.parameter("memory")?)?,
        passes: data.hash_iterations,
        lanes: number(data.parameter("parallelism")?)?,
        salt,
        tag,
    }))
}
