// Runs before the page is drawn, so a chosen theme does not flash in. console.js holds the button.
{
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
}
