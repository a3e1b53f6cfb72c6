/** /auth/login: sends what was typed to the API's own login, which sets the cookie of a session. */

import { post } from "../api.ts";
import { Invalid, element, onSubmit } from "../form.ts";

const form = element("login", HTMLFormElement);
const email = element("email", HTMLInputElement);
const password = element("password", HTMLInputElement);
const remember = element("remember", HTMLInputElement);

onSubmit(form, async () => {
  if (email.value.trim() === "") throw new Invalid(email, "Enter your e-mail address.");
  if (password.value === "") throw new Invalid(password, "Enter your password.");
  await post("/api/auth/login", {
    username: email.value.trim(),
    password: password.value,
    session: true,
    remember_me: remember.checked,
  });
  location.replace(form.dataset["next"] ?? "/");
});
