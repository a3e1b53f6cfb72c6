/** What every page does: its style, and signing out. */

import "../style.css";

import { post } from "../api.ts";

const LOGIN = "/auth/login";

document.getElementById("sign-out")?.addEventListener("click", () => {
  // Whatever the answer is: who is still signed in is led on from there.
  void post("/api/auth/logout")
    .catch(() => undefined)
    .then(() => {
      location.assign(LOGIN);
    });
});
