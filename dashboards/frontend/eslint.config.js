import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

// What would let a device's data become code: no page of ours may, and the Content-Security-Policy forbids it, too.
const markup = ["innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML"];

export default defineConfig(
  { ignores: ["node_modules", "eslint.config.js"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "no-restricted-syntax": [
        "error",
        ...markup.flatMap((name) => [
          { selector: `MemberExpression[property.name='${name}']`, message: "Data never becomes markup." },
          { selector: `JSXAttribute[name.name='${name}']`, message: "Data never becomes markup." },
        ]),
      ],
      "no-restricted-globals": ["error", "localStorage", "sessionStorage"],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    files: ["**/*.test.ts"],
    rules: { "@typescript-eslint/no-floating-promises": "off" }, // node:test waits for its tests itself
  },
);
