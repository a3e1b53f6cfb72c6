/** /login/createPassword: gives a new user its first password. The tokens of the answer are left unread. */

import { post } from "../api.ts";
import { Invalid, element, onSubmit } from "../form.ts";

const form = element("create-password", HTMLFormElement);
const password = element("password", HTMLInputElement);
const again = element("again", HTMLInputElement);

onSubmit(form, async () => {
  if (password.value.length < password.minLength) {
    throw new Invalid(password, `A password has ${password.minLength} or more characters.`);
  }
  if (again.value !== password.value) throw new Invalid(again, "The two passwords differ.");
  await post("/api/noauth/activate", { activateToken: form.dataset["token"] ?? "", password: password.value });
  location.replace("/auth/login?activated");
});
