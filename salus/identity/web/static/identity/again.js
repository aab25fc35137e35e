// Sends the form of the page again at once: from this site the browser sends its session along.
// HTML contract: form#again. Without this file there is its button.
"use strict";

document.getElementById("again")?.submit();
