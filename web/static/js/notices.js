// Lets this browser tell its member of what happens while no page is open.
import { tell } from "./tell.js";

const form = document.querySelector("form.notices");
const able = "serviceWorker" in navigator && "PushManager" in self && "Notification" in self;

if (form && able) {
  form.querySelectorAll(".scripted").forEach((one) => { one.hidden = false; });
  form.querySelectorAll(".unable").forEach((one) => { one.hidden = true; });
  form.addEventListener("submit", async (event) => {
    if (event.submitter?.value !== "on") {
      return;
    }
    event.preventDefault();
    try {
      if (await Notification.requestPermission() !== "granted") {
        tell(form.dataset.denied);
        return;
      }
      const worker = await navigator.serviceWorker.ready;
      const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.key });
      const { endpoint, keys } = subscription.toJSON();
      for (const [name, value] of Object.entries({ do: "on", endpoint, key: keys.p256dh, secret: keys.auth })) {
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      }
      form.submit();
    } catch {
      tell(form.dataset.failed);
    }
  });
}
