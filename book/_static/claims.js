// The filter of the page "Claims": hides the rows that do not match, and counts the rest.
// Each row carries its chapter, sources and verdict as classes ntk-chapter-…, ntk-source-…,
// ntk-verdict-…; the form and its options come with the page.
(() => {
  "use strict";
  const form = document.getElementById("ntk-filter");
  const count = document.getElementById("ntk-count");
  const table = document.querySelector("table.ntk-claims");
  if (!form || !count || !table) return;

  const selects = [...form.querySelectorAll("select[data-filter]")];
  const rows = [...table.tBodies[0].rows];

  function update() {
    const wanted = selects
      .filter((select) => select.value)
      .map((select) => `ntk-${select.dataset.filter}-${select.value}`);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !wanted.every((name) => row.classList.contains(name));
      shown += !row.hidden;
    }
    count.textContent =
      shown === rows.length
        ? `All ${rows.length} claims.`
        : `${shown} of ${rows.length} claims.`;
  }

  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  update(); // a browser may have kept the choices of the last visit
})();
