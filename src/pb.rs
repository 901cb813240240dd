//! The messages and gRPC stubs of `relatch.v1`, as generated from `proto/relatch/v1`. The one place that includes them.
//!
//! `Debug` of a message prints `[redacted]` for every field that the proto marks `debug_redact`.

#[expect(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "the generators have a style of their own; missing_docs stays on: it finds what the proto leaves undocumented"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/relatch.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/redacted_debug.rs"));
}

pub use generated::*;

/// The encoded `google.protobuf.FileDescriptorSet` of `relatch.v1` and what it imports, with its comments: what gRPC
/// reflection serves.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[cfg(test)]
mod tests {
    use prost_reflect::{DescriptorPool, FieldDescriptor, Kind};

    use super::{
        ConfirmResetRequest, ExportAccountsResponse, FILE_DESCRIPTOR_SET, GetAccountRequest,
        PasswordHash, RenewRecoveryCodesResponse, SecondFactor, SetSecondFactorRequest, SignedIn,
        VerifyPasswordResponse, get_account_request, verify_password_response,
    };

    const CANARY: &str = "canary-7f3a";

    fn canary() -> String {
        CANARY.to_owned()
    }

    /// Every field of the package.
    fn fields() -> Vec<FieldDescriptor> {
        DescriptorPool::decode(FILE_DESCRIPTOR_SET)
            .unwrap()
            .all_messages()
            .filter(|message| message.package_name() == "relatch.v1")
            .flat_map(|message| message.fields().collect::<Vec<_>>())
            .collect()
    }

    fn is_redacted(field: &FieldDescriptor) -> bool {
        let option = field
            .options()
            .get_field_by_name("debug_redact")
            .unwrap()
            .as_bool();
        option.unwrap()
    }

    fn holds_a_secret(field: &FieldDescriptor) -> bool {
        const NAMES: [&str; 8] = [
            "token",
            "cancel_token",
            "proof",
            "challenge",
            "secret",
            "otpauth_uri",
            "recovery_codes",
            "encoded",
        ];
        let name = field.name();
        matches!(field.kind(), Kind::String | Kind::Bytes)
            && (NAMES.contains(&name) || name.ends_with("password") || name.ends_with("code"))
    }

    #[test]
    fn every_secret_and_every_full_address_is_marked_as_redacted() {
        let printable: Vec<_> = fields()
            .into_iter()
            .filter(|field| holds_a_secret(field) || matches!(field.name(), "email" | "phone"))
            .filter(|field| !is_redacted(field))
            .map(|field| field.full_name().to_owned())
            .collect();
        assert_eq!(printable, Vec::<String>::new());
    }

    #[test]
    fn the_debug_output_of_a_confirmation_names_its_fields_and_hides_its_secrets() {
        let request = ConfirmResetRequest {
            token: canary(),
            new_password: canary(),
            second_factor_code: canary(),
            client: None,
            request_id: "r-1".to_owned(),
        };
        assert_eq!(
            format!("{request:?}"),
            "ConfirmResetRequest { token: [redacted], new_password: [redacted], second_factor_code: [redacted], \
             client: None, request_id: \"r-1\" }"
        );
    }

    #[test]
    fn secrets_stay_hidden_inside_oneofs_lists_and_nested_messages() {
        let by_email = GetAccountRequest {
            key: Some(get_account_request::Key::Email(canary())),
        };
        let signed_in = VerifyPasswordResponse {
            outcome: Some(verify_password_response::Outcome::SignedIn(SignedIn {
                proof: canary(),
                ..SignedIn::default()
            })),
        };
        let codes = RenewRecoveryCodesResponse {
            recovery_codes: vec![canary(), canary()],
        };
        let exported = ExportAccountsResponse {
            account: None,
            password_hash: Some(PasswordHash {
                format: "argon2id".to_owned(),
                encoded: canary(),
            }),
        };
        for printed in [
            format!("{by_email:?}"),
            format!("{signed_in:#?}"),
            format!("{codes:?}"),
            format!("{exported:?}"),
        ] {
            assert!(!printed.contains(CANARY), "{printed}");
            assert!(printed.contains("[redacted]"), "{printed}");
        }
    }

    #[test]
    fn the_other_fields_of_a_redacted_message_print_as_prost_prints_them() {
        let request = SetSecondFactorRequest {
            account_id: "00".repeat(16),
            proof: canary(),
            second_factor: SecondFactor::Totp.into(),
        };
        assert!(format!("{request:?}").ends_with("proof: [redacted], second_factor: Totp }"));

        let by_id = GetAccountRequest {
            key: Some(get_account_request::Key::AccountId("a1".to_owned())),
        };
        assert_eq!(
            format!("{by_id:?}"),
            "GetAccountRequest { key: Some(AccountId(\"a1\")) }"
        );
    }
}
