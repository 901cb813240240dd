//! Every method that is served, and what it takes to call it.

use crate::domain::caller::{Scope, Scopes};

/// What it takes to call a method.
#[derive(Debug)]
pub(super) enum Access {
    /// Nothing, not even a credential.
    Anyone,
    /// To be one of the callers.
    AnyCaller,
    /// The scope.
    Holder(Scope),
    /// One of the two; the handler asks for the one that the request's fields make it.
    EitherHolder(Scope, Scope),
    /// A scope for all of the audit log or for part of it.
    AuditReader,
}

/// A method that is served.
#[derive(Debug)]
pub(super) struct Method {
    /// The path of its requests.
    pub(super) path: &'static str,
    /// What it takes to call it.
    pub(super) access: Access,
    /// Whether it streams, in either direction.
    pub(super) streams: bool,
}

impl Method {
    /// The method of this path; `None` denies.
    #[must_use]
    pub(super) fn of(path: &str) -> Option<&'static Self> {
        METHODS.iter().find(|method| method.path == path)
    }

    /// Whether these scopes are enough.
    #[must_use]
    pub(super) fn permits(&self, scopes: &Scopes) -> bool {
        match &self.access {
            Access::Anyone | Access::AnyCaller => true,
            Access::Holder(scope) => scopes.contains(scope),
            Access::EitherHolder(one, other) => scopes.contains(one) || scopes.contains(other),
            Access::AuditReader => scopes.audit().is_some(),
        }
    }
}

const fn unary(path: &'static str, access: Access) -> Method {
    Method {
        path,
        access,
        streams: false,
    }
}

const fn stream(path: &'static str, access: Access) -> Method {
    Method {
        path,
        access,
        streams: true,
    }
}

static METHODS: &[Method] = {
    use Access::{AnyCaller, Anyone, AuditReader, EitherHolder, Holder};
    use Scope::{Accounts, Delivery, Factors, Import, Profile, RemoveFactor, Reset, Signin};
    &[
        unary("/relatch.v1.PasswordService/RequestReset", Holder(Reset)),
        unary("/relatch.v1.PasswordService/InspectReset", Holder(Reset)),
        unary("/relatch.v1.PasswordService/SendResetCode", Holder(Reset)),
        unary("/relatch.v1.PasswordService/ConfirmReset", Holder(Reset)),
        unary("/relatch.v1.PasswordService/CancelReset", Holder(Reset)),
        unary(
            "/relatch.v1.PasswordService/SendProfileResetLink",
            Holder(Profile),
        ),
        unary(
            "/relatch.v1.PasswordService/GetSecurityInfo",
            Holder(Profile),
        ),
        // By token or by account.
        unary(
            "/relatch.v1.PasswordService/CheckPassword",
            EitherHolder(Reset, Profile),
        ),
        unary("/relatch.v1.PasswordService/VerifyPassword", Holder(Signin)),
        unary("/relatch.v1.PasswordService/SendSignInCode", Holder(Signin)),
        unary(
            "/relatch.v1.PasswordService/VerifySecondFactor",
            Holder(Signin),
        ),
        unary(
            "/relatch.v1.PasswordService/ChangePassword",
            Holder(Profile),
        ),
        unary("/relatch.v1.PasswordService/EndSessions", Holder(Profile)),
        unary("/relatch.v1.AccountService/CreateAccount", Holder(Accounts)),
        unary("/relatch.v1.AccountService/GetAccount", Holder(Accounts)),
        unary("/relatch.v1.AccountService/UpdateAccount", Holder(Accounts)),
        unary("/relatch.v1.AccountService/DeleteAccount", Holder(Accounts)),
        unary("/relatch.v1.AccountService/ListAccounts", Holder(Accounts)),
        stream("/relatch.v1.AccountService/ImportAccounts", Holder(Import)),
        // The handler asks for export_hashes as well if the call asks for hashes.
        stream(
            "/relatch.v1.AccountService/ExportAccounts",
            Holder(Accounts),
        ),
        unary("/relatch.v1.AccountService/SendInvite", Holder(Accounts)),
        unary(
            "/relatch.v1.AccountService/RemoveSecondFactor",
            Holder(RemoveFactor),
        ),
        unary(
            "/relatch.v1.FactorService/BeginTotpEnrolment",
            Holder(Factors),
        ),
        unary(
            "/relatch.v1.FactorService/FinishTotpEnrolment",
            Holder(Factors),
        ),
        unary("/relatch.v1.FactorService/SetSecondFactor", Holder(Factors)),
        unary(
            "/relatch.v1.FactorService/RenewRecoveryCodes",
            Holder(Factors),
        ),
        unary(
            "/relatch.v1.FactorService/BeginAddressVerification",
            Holder(Factors),
        ),
        unary(
            "/relatch.v1.FactorService/FinishAddressVerification",
            Holder(Factors),
        ),
        unary("/relatch.v1.DeliveryService/ListMessages", Holder(Delivery)),
        unary("/relatch.v1.DeliveryService/RetryMessage", Holder(Delivery)),
        stream("/relatch.v1.AuditService/WatchEvents", AuditReader),
        unary("/relatch.v1.AuditService/GetCheckpoint", AuditReader),
        unary("/relatch.v1.AuditService/GetInclusionProof", AuditReader),
        unary("/relatch.v1.AuditService/GetConsistencyProof", AuditReader),
        unary("/grpc.health.v1.Health/Check", Anyone),
        stream("/grpc.health.v1.Health/Watch", Anyone),
        stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            AnyCaller,
        ),
        stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            AnyCaller,
        ),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb;
    use prost_reflect::DescriptorPool;
    use std::collections::BTreeSet;

    /// Path and streaming of every method that the descriptors name.
    fn described(descriptors: &[u8]) -> BTreeSet<(String, bool)> {
        let pool = DescriptorPool::decode(descriptors).unwrap();
        let methods = pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        methods
            .map(|method| {
                let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
                (
                    path,
                    method.is_client_streaming() || method.is_server_streaming(),
                )
            })
            .collect()
    }

    #[test]
    fn the_table_lists_what_is_served_and_nothing_else() {
        let served: BTreeSet<_> = [
            pb::FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ]
        .into_iter()
        .flat_map(described)
        .collect();
        let listed: BTreeSet<_> = METHODS
            .iter()
            .map(|method| (method.path.to_owned(), method.streams))
            .collect();
        assert_eq!(listed, served);
        assert_eq!(listed.len(), METHODS.len(), "a method is listed twice");
    }

    #[test]
    fn a_method_needs_the_scope_that_its_comment_in_the_proto_names() {
        let pool = DescriptorPool::decode(pb::FILE_DESCRIPTOR_SET).unwrap();
        for service in pool
            .services()
            .filter(|service| service.package_name() == "relatch.v1")
        {
            let file = service.parent_file();
            let comment = |path: &[i32]| {
                let info = file
                    .file_descriptor_proto()
                    .source_code_info
                    .as_ref()
                    .unwrap();
                let location = info.location.iter().find(|location| location.path == path);
                location
                    .and_then(|location| location.leading_comments.clone())
                    .unwrap_or_default()
            };
            for method in service.methods() {
                let place = |index: usize| i32::try_from(index).unwrap();
                // `ServiceDescriptor::index` counts through the pool, paths count through the file.
                let in_file = file.services().position(|each| each == service).unwrap();
                let of_service = comment(&[6, place(in_file)]);
                let of_method = comment(&[6, place(in_file), 2, place(method.index())]);
                let path = format!("/{}/{}", service.full_name(), method.name());
                let access = &Method::of(&path).unwrap().access;
                let stated = |scope: &Scope| {
                    of_method.contains(&format!("Scope: {scope}"))
                        || of_service.contains(&format!("Scope of every method: {scope}"))
                };
                let agrees = match access {
                    Access::Holder(scope) => stated(scope),
                    Access::EitherHolder(one, other) => {
                        of_method.contains(&format!("Scope: {one} by token, {other} by account_id"))
                    }
                    Access::AuditReader => of_service.contains("Scope of every method: audit."),
                    Access::Anyone | Access::AnyCaller => false,
                };
                assert!(agrees, "{path}: {access:?}");
            }
        }
    }

    #[test]
    fn either_of_two_scopes_opens_what_the_handler_decides() {
        let method = Method::of("/relatch.v1.PasswordService/CheckPassword").unwrap();
        let scopes = |names: &[&str]| {
            names
                .iter()
                .map(|name| name.parse::<Scope>().unwrap())
                .collect()
        };
        assert!(method.permits(&scopes(&["reset"])));
        assert!(method.permits(&scopes(&["profile"])));
        assert!(!method.permits(&scopes(&["signin", "accounts"])));
    }

    #[test]
    fn a_reader_of_a_few_events_reads_the_audit_log_too() {
        let method = Method::of("/relatch.v1.AuditService/WatchEvents").unwrap();
        assert!(
            method.permits(
                &["audit:user_created".parse().unwrap()]
                    .into_iter()
                    .collect()
            )
        );
        assert!(!method.permits(&Scopes::default()));
    }
}
