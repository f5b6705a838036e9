// Marks what goes on beyond its right edge and scrolls there, so that its end fades (site.css): a
// phone shows no bar, and a formula cut between two terms could be taken for a whole one.
(() => {
  "use strict";
  const WIDE = "mjx-container, span.math, div.math, pre, .pst-scrollable-table-container, div.cell_output";

  function mark(element) {
    const left = element.scrollWidth - element.clientWidth - element.scrollLeft;
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    element.classList.toggle("ntk-goes-on", scrolls && left > 2);
  }

  async function begin() {
    await window.MathJax?.startup?.promise;
    const sizes = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
    for (const element of document.querySelectorAll(`main :is(${WIDE})`)) {
      sizes.observe(element); // which also marks it now, and once a fold around it opens
      element.addEventListener("scroll", () => mark(element), { passive: true });
    }
  }

  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin);
})();
