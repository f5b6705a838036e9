// What the theme leaves without a name or with a wrong role for a screen reader.
(() => {
  "use strict";

  function mend() {
    // The arrows that unfold a part of the contents have no text.
    for (const summary of document.querySelectorAll("summary")) {
      if (summary.textContent.trim() || summary.hasAttribute("aria-label")) continue;
      const entry = summary.closest("li")?.querySelector("a")?.textContent.trim();
      summary.setAttribute("aria-label", entry ? `Pages below “${entry}”` : "More pages");
    }
    // A signature over several lines is laid out as a definition list without terms.
    for (const list of document.querySelectorAll("dt.sig dl")) {
      for (const element of [list, ...list.querySelectorAll(":scope > dd")]) {
        element.setAttribute("role", "presentation");
      }
    }
    // The entries of a bibliography have a role that has been withdrawn, and are no items of a list.
    for (const entry of document.querySelectorAll('[role="list"] > [role="doc-biblioentry"]')) {
      entry.setAttribute("role", "listitem");
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mend);
  else mend();
})();
