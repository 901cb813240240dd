//! Everything that is served, at once.

use super::RunError;
use crate::shutdown::{Shutdown, Trigger};
use crate::tls::{Connection, Incoming};
use crate::web;
use axum::Router;
use tokio::task::JoinSet;

/// Serves gRPC, to others and inside, and every page until all have ended, or one has failed. Dropping the future cuts
/// off the pages. Who is inside goes on until the last page is answered: a page may have more than one call to make.
pub(super) async fn all(
    grpc: impl Future<Output = Result<(), tonic::transport::Error>>,
    inside: impl Future<Output = Result<(), tonic::transport::Error>>,
    pages: impl Iterator<Item = (Incoming, Router)>,
    closing: Shutdown,
    let_go: Trigger,
) -> Result<(), RunError> {
    let pages = async {
        self::pages(pages, closing).await?;
        let_go.pull();
        Ok::<(), RunError>(())
    };
    tokio::try_join!(
        async { Ok(grpc.await?) },
        async { Ok(inside.await?) },
        pages
    )?;
    Ok(())
}

/// Serves every page until all have ended. Dropping the future cuts them off.
pub(super) async fn pages(
    pages: impl Iterator<Item = (Incoming, Router)>,
    closing: Shutdown,
) -> Result<(), RunError> {
    let mut serving = JoinSet::new();
    for (incoming, router) in pages {
        serving.spawn(web::serve(
            incoming,
            router,
            Connection::remote,
            closing.clone().requested(),
        ));
    }
    drop(closing);
    while let Some(page) = serving.join_next().await {
        page.map_err(|_| RunError::Worker)?;
    }
    Ok(())
}
