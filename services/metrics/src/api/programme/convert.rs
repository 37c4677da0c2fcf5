//! Requests of the programme service. Every violation of a request is told.

use upswell_proto::metrics::v1::{
    GetLoyaltyRequest, GetProgrammeBreakdownRequest, GetWeeklyBreakdownRequest, ListProgrammeStepsRequest,
};
use upswell_runtime::{
    paging,
    problem::{Problem, Violations},
};

use crate::{
    api::convert::{settled, violations_of_page, window_before, window_in},
    domain::{funnel::Stage, programme::Cut, window::Window},
    store::{StepFilter, StepKey},
};

const LIST_STEPS: &str = "ListProgrammeSteps";

/// The window and the cut.
pub(super) fn breakdown(wire: GetProgrammeBreakdownRequest) -> Result<(Window, Cut), Problem> {
    let GetProgrammeBreakdownRequest { window, cut } = wire;
    let mut violations = Violations::new();
    let window = window_in(window, &mut violations);
    let cut = cut_of(cut, &mut violations);
    settled(window.zip(cut), violations)
}

/// The window and the cut of a weekly cut.
pub(super) fn weeks(wire: GetWeeklyBreakdownRequest) -> Result<(Window, Cut), Problem> {
    let GetWeeklyBreakdownRequest { window, cut } = wire;
    breakdown(GetProgrammeBreakdownRequest { window, cut })
}

fn cut_of(number: i32, violations: &mut Violations) -> Option<Cut> {
    let cut = usize::try_from(number)
        .ok()
        .and_then(|index| Cut::ALL.get(index))
        .copied();
    if cut.is_none() {
        violations.add("cut", format!("{number} is not known here"));
    }
    cut
}

fn stage_of(number: i32, violations: &mut Violations) -> Option<Stage> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let stage = index.and_then(|index| Stage::ALL.get(index)).copied();
    match stage {
        None if number == 0 => violations.add("step", "is required"),
        None => violations.add("step", format!("{number} is not known here")),
        Some(_) => {}
    }
    stage
}

/// A page of the list of what is counted.
pub(super) struct StepList {
    pub(super) filter: StepFilter,
    pub(super) after: Option<StepKey>,
    pub(super) size: u32,
}

impl TryFrom<ListProgrammeStepsRequest> for StepList {
    type Error = Problem;

    fn try_from(wire: ListProgrammeStepsRequest) -> Result<Self, Problem> {
        let ListProgrammeStepsRequest {
            window,
            cut,
            value,
            step,
            page_size,
            page_token,
        } = wire;
        let mut violations = Violations::new();
        let window = window_in(window, &mut violations);
        let cut = cut_of(cut, &mut violations);
        let stage = stage_of(step, &mut violations);
        if cut == Some(Cut::All) && !value.is_empty() {
            violations.add("value", "needs a cut");
        }
        violations_of_page(page_size, &mut violations);
        let (window, (cut, stage)) = settled(window.zip(cut.zip(stage)), violations)?;
        let filter = StepFilter {
            window,
            cut,
            value,
            stage,
        };
        let page = paging::parse(LIST_STEPS, &bytes(&filter), page_size, &page_token)?;
        let after = page.after.map(|key| serde_json::from_str(&key)).transpose();
        Ok(Self {
            after: after.map_err(|_| Problem::invalid_field("page_token", "is not a token of this list"))?,
            size: page.size,
            filter,
        })
    }
}

impl StepList {
    /// The token of the page after `last`.
    pub(super) fn next_token(&self, last: &StepKey) -> Result<String, Problem> {
        let key = serde_json::to_string(last).map_err(Problem::internal)?;
        Ok(paging::next_token(LIST_STEPS, &bytes(&self.filter), &key))
    }
}

fn bytes(filter: &StepFilter) -> Vec<u8> {
    let StepFilter {
        window,
        cut,
        value,
        stage,
    } = filter;
    format!(
        "{}/{}/{}/{}/{value}",
        window.start(),
        window.end(),
        *cut as u8,
        stage.name()
    )
    .into_bytes()
}

/// The windows before and after.
pub(super) fn loyalty(wire: GetLoyaltyRequest) -> Result<(Window, Window), Problem> {
    let GetLoyaltyRequest { window, before } = wire;
    let mut violations = Violations::new();
    let after = window_in(window, &mut violations);
    let before = window_before(after, before, &mut violations);
    settled(before.zip(after), violations)
}
