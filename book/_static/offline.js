// From file:// a page may not fetch another one, so the search shows its results without excerpts.
if (window.location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
