mod logging;
mod running;
mod scene;
mod settling;
mod writing;
