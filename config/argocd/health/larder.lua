-- Health of Larder's kinds for Argo CD, from the conditions that all three share (kstatus).
local hs = { status = "Progressing", message = "Waiting for the operator" }

local function condition(type)
  if obj.status == nil or obj.status.conditions == nil then return nil end
  for _, each in ipairs(obj.status.conditions) do
    if each.type == type then return each end
  end
  return nil
end

if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "Being deleted"
  return hs
end

if obj.spec ~= nil and obj.spec.suspend == true then
  hs.status = "Suspended"
  hs.message = "spec.suspend is true"
  return hs
end

local stalled = condition("Stalled")
if stalled ~= nil and stalled.status == "True" then
  hs.status = "Degraded"
  hs.message = stalled.reason .. ": " .. stalled.message
  return hs
end

local ready = condition("Ready")
if ready == nil then return hs end

-- What was found for an older spec says nothing about this one.
if ready.observedGeneration ~= nil and ready.observedGeneration < obj.metadata.generation then
  hs.message = "Waiting for generation " .. obj.metadata.generation
  return hs
end

hs.message = ready.reason .. ": " .. ready.message
if ready.status == "True" then
  hs.status = "Healthy"
elseif ready.status == "False" and ready.reason ~= "Stocking" and ready.reason ~= "Progressing" then
  hs.status = "Degraded"
end
return hs
