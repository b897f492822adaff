// SPDX-License-Identifier: Apache-2.0
// Adds to the log of a build what is logged, as it is logged. The page is whole without it.
"use strict";

for (const place of document.querySelectorAll("pre[data-stream]")) {
  const LONGEST = 2_000_000;
  const lines = new EventSource(place.dataset.stream);
  lines.onmessage = (event) => {
    const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8;
    place.append(JSON.parse(event.data));
    if (place.textContent.length > LONGEST) place.textContent = place.textContent.slice(-LONGEST / 2);
    if (atEnd) place.scrollTop = place.scrollHeight;
  };
  lines.addEventListener("ended", () => lines.close());
  addEventListener("pagehide", () => lines.close());
}
