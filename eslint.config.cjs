// What is wrong in any JavaScript; prettier looks at how it is written.
// Why CommonJS: pre-commit installs the packages elsewhere, and only require() finds them there.
const globals = require("globals");
const js = require("@eslint/js");

module.exports = [
    { ignores: [".environment/**"] },
    js.configs.recommended,
    {
        files: ["*/static/**/*.js"],
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "module",
            globals: { ...globals.browser, odoo: "readonly", luxon: "readonly" },
        },
        rules: {
            "consistent-return": "error",
            "default-case-last": "error",
            "dot-notation": "error",
            eqeqeq: ["error", "always", { null: "ignore" }],
            "no-alert": "error",
            "no-console": "error",
            "no-eval": "error",
            "no-new-wrappers": "error",
            "no-return-assign": "error",
            "no-shadow": "error",
            "no-throw-literal": "error",
            "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
            "no-use-before-define": ["error", { functions: false, variables: false }],
            "no-var": "error",
            "object-shorthand": "error",
            "prefer-const": "error",
            "prefer-template": "error",
            radix: "error",
            "sort-imports": ["error", { ignoreDeclarationSort: true }],
        },
    },
    { files: ["*/static/return/*.js"], languageOptions: { sourceType: "script" } },
    { files: ["*.cjs"], languageOptions: { sourceType: "commonjs", globals: globals.node } },
];
