//! SVG as PNG, for slides and mail.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use resvg::{
    tiny_skia::{Color, Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

/// Pixels per unit of the drawing.
const SCALE: f32 = 2.0;

/// Draws an SVG on white, twice its size, with the fonts of this machine.
///
/// # Errors
/// It is no SVG, or is too large.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).context("reading the chart")?;
    let size = tree
        .size()
        .to_int_size()
        .scale_by(SCALE)
        .context("the chart has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("the chart is too large")?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("writing the picture")
}
