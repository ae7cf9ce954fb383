// What every page of a signed-in member loads. Each module makes livelier what works as
// a form or a link without it.
import "./acts.js";
import "./compose.js";
import "./install.js";
import "./keys.js";
import "./live.js";
import "./names.js";
import "./notices.js";
import "./offline.js";
import "./seek.js";
import "./thread.js";
import "./zone.js";
