// The API of Satu Pintu, typed by its own description (api.ts).
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

export type Schemas = components["schemas"];
export type SatuPintu = Client<paths, "application/json" | "application/problem+json">;

/** `key`: of an account, or of a device of an app. */
export function satuPintu(baseUrl: string, key?: string): SatuPintu {
  return createClient<paths, "application/json" | "application/problem+json">({
    baseUrl,
    headers: key === undefined ? {} : { Authorization: `Bearer ${key}` },
  });
}
