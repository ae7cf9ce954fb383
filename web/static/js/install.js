// Offers to install the pages as an app, where the browser lets us ask.
let offer = null;

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer = event;
  document.querySelectorAll("button.install").forEach((one) => { one.hidden = false; });
});

document.addEventListener("click", async (event) => {
  if (!offer || !event.target.closest("button.install")) {
    return;
  }
  await offer.prompt();
  offer = null;
  document.querySelectorAll("button.install").forEach((one) => { one.hidden = true; });
});
