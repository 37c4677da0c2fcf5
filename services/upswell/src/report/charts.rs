//! Charts as SVG: what moved MRR, the weeks, the funnel.

use anyhow::{Result, anyhow};
use plotters::{
    coord::{Shift, ranged1d::SegmentValue},
    prelude::*,
};
use upswell_proto::metrics::v1::{FunnelStep, MovementKind, RevenueMetrics, Week};

use crate::wire::{date, word};

const WIDTH: u32 = 920;
const INK: RGBColor = RGBColor(31, 41, 55);
const QUIET: RGBColor = RGBColor(203, 213, 225);
const LEVEL: RGBColor = RGBColor(51, 65, 85);
const MORE: RGBColor = RGBColor(5, 150, 105);
const LESS: RGBColor = RGBColor(220, 38, 38);
const STEPS: [RGBColor; 4] = [
    RGBColor(148, 163, 184),
    RGBColor(59, 130, 246),
    RGBColor(5, 150, 105),
    RGBColor(217, 119, 6),
];
const FONT: (&str, i32) = ("sans-serif", 15);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One column of the waterfall.
struct Column {
    name: String,
    from: f64,
    to: f64,
    color: RGBColor,
}

/// MRR at the start, each kind of movement, MRR at the end (K-1).
pub(super) fn waterfall(metrics: &RevenueMetrics) -> Result<String> {
    let columns = columns(metrics);
    let highest = columns.iter().map(|one| one.from.max(one.to)).fold(1.0, f64::max);
    let lowest = columns.iter().map(|one| one.from.min(one.to)).fold(0.0, f64::min);
    draw(340, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(14)
            .x_label_area_size(34)
            .y_label_area_size(72)
            .build_cartesian_2d((0..columns.len() - 1).into_segmented(), lowest..highest * 1.12)
            .map_err(fault)?;
        let name = |at: &SegmentValue<usize>| match at {
            SegmentValue::CenterOf(index) => columns.get(*index).map_or_else(String::new, |one| one.name.clone()),
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(QUIET)
            .light_line_style(TRANSPARENT)
            .axis_style(QUIET)
            .label_style(FONT.into_font().color(&INK))
            .x_labels(columns.len())
            .x_label_formatter(&name)
            .y_label_formatter(&|value| short(*value))
            .draw()
            .map_err(fault)?;
        let bars = columns.iter().enumerate().map(|(index, one)| {
            let corners = [
                (SegmentValue::Exact(index), one.from),
                (SegmentValue::Exact(index + 1), one.to),
            ];
            let mut bar = Rectangle::new(corners, one.color.filled());
            bar.set_margin(0, 0, 14, 14);
            bar
        });
        chart.draw_series(bars).map_err(fault)?;
        let labels = columns.iter().enumerate().map(|(index, one)| {
            let top = one.from.max(one.to) + highest * 0.06;
            let value = if one.color == LEVEL { one.to } else { one.to - one.from };
            Text::new(short(value), (SegmentValue::CenterOf(index), top), centered())
        });
        chart.draw_series(labels).map_err(fault)?;
        Ok(())
    })
}

fn columns(metrics: &RevenueMetrics) -> Vec<Column> {
    let level = |name: &str, to| Column {
        name: name.to_owned(),
        from: 0.0,
        to,
        color: LEVEL,
    };
    let start = units(metrics.mrr_start.as_ref());
    let mut columns = vec![level("start", start)];
    let mut stand = start;
    for movement in &metrics.movements {
        let change = units(movement.amount.as_ref());
        if change == 0.0 {
            continue;
        }
        let kind = MovementKind::try_from(movement.kind).unwrap_or_default();
        columns.push(Column {
            name: word(kind.as_str_name(), "MOVEMENT_KIND"),
            from: stand,
            to: stand + change,
            color: if change > 0.0 { MORE } else { LESS },
        });
        stand += change;
    }
    columns.push(level("end", units(metrics.mrr_end.as_ref())));
    columns
}

/// Signals, offers, acceptances and payments of each week (K-9).
pub(super) fn weeks(weeks: &[Week]) -> Result<String> {
    let counts = |week: &Week| [week.signals, week.offers_sent, week.accepted, week.paid];
    let highest = weeks.iter().flat_map(counts).max().unwrap_or(0).max(1) as f64;
    let end = weeks.len().max(1) as f64;
    draw(320, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(14)
            .x_label_area_size(34)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..end, 0.0..highest * 1.25)
            .map_err(fault)?;
        let name = |at: &f64| {
            let week = weeks.get(at.floor() as usize).filter(|_| at.fract() < 0.01);
            week.and_then(|week| date(week.start_date.as_ref()))
                .map_or_else(String::new, |day| day.strftime("%d %b").to_string())
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(QUIET)
            .light_line_style(TRANSPARENT)
            .axis_style(QUIET)
            .label_style(FONT.into_font().color(&INK))
            .x_labels(weeks.len().clamp(2, 14))
            .x_label_formatter(&name)
            .y_label_formatter(&|value| short(*value))
            .draw()
            .map_err(fault)?;
        for (step, (name, color)) in ["signals", "offers sent", "accepted", "paid"]
            .iter()
            .zip(STEPS)
            .enumerate()
        {
            let bars = weeks.iter().enumerate().map(|(index, week)| {
                let left = index as f64 + 0.1 + 0.2 * step as f64;
                let corners = [(left, 0.0), (left + 0.18, counts(week)[step] as f64)];
                Rectangle::new(corners, color.filled())
            });
            chart
                .draw_series(bars)
                .map_err(fault)?
                .label(*name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], color.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .label_font(FONT.into_font().color(&INK))
            .background_style(WHITE.mix(0.85))
            .draw()
            .map_err(fault)
    })
}

/// From signal to payment, each step under the one before (K-9).
pub(super) fn funnel(steps: &[FunnelStep]) -> Result<String> {
    let highest = steps.iter().map(|step| step.count).max().unwrap_or(0).max(1) as f64;
    let row = 44;
    let height = 28 + row * u32::try_from(steps.len()).unwrap_or(1);
    draw(height, |area| {
        for (index, step) in steps.iter().enumerate() {
            let top = 14 + i32::try_from(row).unwrap_or(44) * i32::try_from(index).unwrap_or(0);
            let width = (f64::from(WIDTH - 460) * step.count as f64 / highest).round() as i32;
            let bar = Rectangle::new([(170, top), (172 + width, top + 30)], STEPS[1].filled());
            area.draw(&bar).map_err(fault)?;
            let name = Text::new(step.step.replace('_', " "), (14, top + 8), FONT.into_font().color(&INK));
            area.draw(&name).map_err(fault)?;
            let share = step.conversion.map_or_else(String::new, |share| {
                format!(" · {:.0} % of the step before", share * 100.0)
            });
            let told = Text::new(
                format!("{}{share}", step.count),
                (184 + width, top + 8),
                FONT.into_font().color(&INK),
            );
            area.draw(&told).map_err(fault)?;
        }
        Ok(())
    })
}

fn draw(height: u32, paint: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&area)?;
        area.present().map_err(fault)?;
    }
    Ok(svg)
}

fn fault(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a chart cannot be drawn: {error}")
}

fn centered() -> TextStyle<'static> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    FONT.into_font().color(&INK).pos(Pos::new(HPos::Center, VPos::Center))
}

/// Money in whole units, for the height of a bar only.
fn units(money: Option<&upswell_proto::gtype::Money>) -> f64 {
    money.map_or(0.0, |money| money.units as f64 + f64::from(money.nanos) / 1e9)
}

/// A number that fits an axis.
fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "B"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.1}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text)).replace('-', "−")
}
